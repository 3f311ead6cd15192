"""Lines of a Shopify order and the money bags in them. Pure."""

from schemas.facts import OrderLine
from streams.sources.fields import (
    Json,
    code,
    count,
    exact_money,
    flag,
    ident,
    malformed,
    obj,
    opt,
    opt_count,
    opt_ident,
    rows,
)


def minor(bag: object, currency: str, path: str) -> int:
    """Presentment amount of a money bag in minor units of the order's currency; raises Malformed."""
    return _amount(obj(obj(bag, path).get("presentmentMoney"), f"{path}.presentmentMoney"), currency, path)


def opt_minor(bag: object, currency: str, path: str) -> int | None:
    """As `minor`; an absent bag is None."""
    return None if bag is None else minor(bag, currency, path)


def shop_minor(bag: object, path: str) -> int | None:
    """Amount of a money bag in minor units of the shop's currency; None where it was not asked for."""
    amount = opt(opt(bag, path).get("shopMoney"), f"{path}.shopMoney")
    if amount.get("amount") is None:
        return None
    return exact_money(amount.get("amount"), amount.get("currencyCode"), f"{path}.shopMoney").minor


def _amount(amount: Json, currency: str, path: str) -> int:
    if amount.get("currencyCode") not in (None, currency):
        raise malformed(path, f"an amount in {currency}, the order's currency", amount.get("currencyCode"))
    return exact_money(amount.get("amount"), currency, path).minor


def order_line(row: Json, path: str, currency: str) -> OrderLine:
    """A line as sold; its amounts are totals of the whole line."""
    quantity = count(row.get("quantity"), f"{path}.quantity")
    unfulfilled = opt_count(row.get("unfulfilledQuantity"), f"{path}.unfulfilledQuantity")
    variant = opt(row.get("variant"), f"{path}.variant")
    item = opt(variant.get("inventoryItem"), f"{path}.variant.inventoryItem")
    group = opt(row.get("lineItemGroup"), f"{path}.lineItemGroup")
    line, order = _discounts(row, path, currency)
    return OrderLine(
        line_id=ident(row.get("id"), f"{path}.id"), sku=code(row.get("sku"), f"{path}.sku") or "", quantity=quantity,
        unit_price_minor=minor(row.get("originalUnitPriceSet"), currency, f"{path}.originalUnitPriceSet"),
        discount_minor=line, order_discount_minor=order, tax_minor=taxes(row, path, currency),
        duty_minor=_duties(row, path, currency), variant_id=opt_ident(variant.get("id"), f"{path}.variant.id"),
        product_id=opt_ident(opt(row.get("product"), f"{path}.product").get("id"), f"{path}.product.id"),
        item_id=opt_ident(item.get("id"), f"{path}.variant.inventoryItem.id"),
        refundable_quantity=_left(row, path),
        fulfilled_quantity=None if unfulfilled is None else max(quantity - unfulfilled, 0),
        tracked=flag(item.get("tracked"), f"{path}.variant.inventoryItem.tracked"),
        gift_card=bool(flag(row.get("isGiftCard"), f"{path}.isGiftCard")),
        bundle_id=opt_ident(group.get("id"), f"{path}.lineItemGroup.id"),
        bundle_sku=code(group.get("variantSku"), f"{path}.lineItemGroup.variantSku"),
        bundle_quantity=opt_count(group.get("quantity"), f"{path}.lineItemGroup.quantity"),
        tax_lines=len(rows(row.get("taxLines"), f"{path}.taxLines")),
        ships=flag(row.get("requiresShipping"), f"{path}.requiresShipping") is not False,
    )  # fmt: skip


def _left(row: Json, path: str) -> int | None:
    """Units that are neither refunded nor removed."""
    names = ("refundableQuantity", "currentQuantity")
    told = [count for name in names if (count := opt_count(row.get(name), f"{path}.{name}")) is not None]
    return min(told, default=None)


def taxes(row: Json, path: str, currency: str) -> int:
    """Sum of the tax lines of an order line or a shipping line."""
    listed = rows(row.get("taxLines"), f"{path}.taxLines")
    return sum(minor(each.get("priceSet"), currency, f"{path}.taxLines.priceSet") for each in listed)


def _discounts(row: Json, path: str, currency: str) -> tuple[int, int]:
    """What belongs to the line, and this line's share of what was given across the order."""
    line = order = 0
    for each in rows(row.get("discountAllocations"), f"{path}.discountAllocations"):
        amount = minor(each.get("allocatedAmountSet"), currency, f"{path}.discountAllocations.allocatedAmountSet")
        application = opt(each.get("discountApplication"), f"{path}.discountAllocations.discountApplication")
        if application.get("allocationMethod") == "ACROSS":
            order += amount
        else:
            line += amount
    return line, order


def _duties(row: Json, path: str, currency: str) -> int:
    listed = rows(row.get("duties"), f"{path}.duties")
    return sum(minor(each.get("price"), currency, f"{path}.duties.price") for each in listed)
