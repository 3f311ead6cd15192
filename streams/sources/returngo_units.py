"""One `items[]` element of an RMA is one returned unit. Pure.

Customers' own words (follow-up answers, extended reasons) stay out; of reasons only the merchant's own labels enter.
"""

from collections.abc import Collection

import msgspec

from schemas.facts import Disposition, Resolution, ReturnedUnit
from schemas.labels import kept
from schemas.money import Money
from streams.sources.fields import (
    Json,
    code,
    flag,
    ident,
    label,
    opt,
    opt_ident,
    opt_instant,
    rounded_money,
    rounded_off,
    rows,
)

# Only the first spelling is published. The others are their product names run together; a spelling that is not here
# stays "unknown", and the case waits for a person.
_RESOLUTIONS: dict[str, Resolution] = {
    "refundtopaymentmethod": "refund",
    "refundtostorecredit": "store_credit",
    "refundtostorecredits": "store_credit",
    "storecredit": "store_credit",
    "refundbynewgiftcard": "gift_card",
    "refundbygiftcard": "gift_card",
    "newgiftcard": "gift_card",
    "giftcard": "gift_card",
    "variantexchange": "exchange",
    "productexchange": "exchange",
    "manualexchange": "exchange",
    "exchange": "exchange",
    "keepitem": "keep",
    "keeptheitem": "keep",
    "donateitem": "keep",
    "donatetheitem": "keep",
}
_NOTHING_SHIPS = "noshipmentrequired"


Known = Collection[str]  # labels of the merchant's own, as schemas.labels compares them
NONE: Known = frozenset()


def unit(row: Json, path: str, known: Known = NONE) -> ReturnedUnit:
    """A returned unit as it was asked for, without its inspection; raises Malformed."""
    resolution = _RESOLUTIONS.get(_word(row.get("resolutionType")), "unknown")
    method = opt(row.get("returnMethod"), f"{path}.returnMethod")
    paid = _money(row, "paidPrice", path)
    wanted = rows(row.get("exchangeItems"), f"{path}.exchangeItems")
    exchange: Json = wanted[0] if wanted else {}
    return ReturnedUnit(
        unit_id=ident(row.get("returnedItemId"), f"{path}.returnedItemId"),
        line_id=opt_ident(row.get("shopLineItemId"), f"{path}.shopLineItemId"),
        sku=code(row.get("sku"), f"{path}.sku") or "", variant_id=opt_ident(row.get("variantId"), f"{path}.variantId"),
        reason=kept(label(row.get("returnReason"), f"{path}.returnReason"), known), resolution=resolution,
        ships=_word(method.get("type")) != _NOTHING_SHIPS and resolution != "keep",
        paid=paid, paid_tax=_money(row, "paidTax", path),
        tax_included=flag(row.get("taxIncluded"), f"{path}.taxIncluded"), fees=_fees(row, paid, path),
        paid_rest=_rest(row, "paidPrice", path), paid_tax_rest=_rest(row, "paidTax", path),
        exchange_variant_id=opt_ident(exchange.get("variantId"), f"{path}.exchangeItems[0].variantId"),
        options=_options(row, path), exchange_sku=code(exchange.get("sku"), f"{path}.exchangeItems[0].sku"),
    )  # fmt: skip


def validation(asked: ReturnedUnit, row: Json, path: str, known: Known = NONE) -> ReturnedUnit | None:
    """The unit as it was asked for, with its inspection; None while there is none.

    Before the inspection both booleans already say false, so only its date tells that it took place.
    """
    status = opt(row.get("itemValidationStatusResponse"), f"{path}.itemValidationStatusResponse")
    at_ms = opt_instant(status.get("lastValidationDate"), f"{path}.lastValidationDate")
    if at_ms is None:
        return None
    returned = flag(status.get("isReturned"), f"{path}.isReturned")
    restockable = flag(status.get("isRestockable"), f"{path}.isRestockable")
    why = status.get("nonRestockableReason") if returned else status.get("nonReturnedReason")
    return msgspec.structs.replace(
        asked, disposition=_disposition(returned=returned, restockable=restockable), inspected_at_ms=at_ms,
        disposition_reason=kept(label(why, f"{path}.disposition_reason"), known),
        location=opt_ident(status.get("storeLocationId"), f"{path}.storeLocationId"),
    )  # fmt: skip


def _disposition(*, returned: bool | None, restockable: bool | None) -> Disposition | None:
    """None while one of the two answers is missing: nothing may be concluded from half an inspection."""
    if returned is None or (returned and restockable is None):
        return None
    if not returned:
        return "not_returned"
    return "sellable" if restockable else "damaged"


def _options(row: Json, path: str) -> tuple[str, ...]:
    """Option values of the variant, which is named by them: "M / Red"."""
    named = label(row.get("variantName"), f"{path}.variantName") or ""
    return tuple(each.strip() for each in named.split(" / ") if each.strip())


def _word(value: object) -> str:
    return "".join(c for c in str(value).lower() if c.isalpha())


def _money(row: Json, key: str, path: str) -> Money | None:
    """Customer currency. ReturnGO derives it by division, so more decimals than the currency has are rounded."""
    amount = opt(row.get(key), f"{path}.{key}")
    if amount.get("amount") is None:
        return None
    return rounded_money(amount.get("amount"), amount.get("currency"), f"{path}.{key}.amount")


def _rest(row: Json, key: str, path: str) -> int:
    amount = opt(row.get(key), f"{path}.{key}")
    if amount.get("amount") is None:
        return 0
    return rounded_off(amount.get("amount"), amount.get("currency"), f"{path}.{key}.amount")


def _fees(row: Json, paid: Money | None, path: str) -> Money | None:
    """Fees are bare numbers in the customer's currency, which only the paid price names."""
    named = [row.get(key) for key in ("restockingFee", "returnFee", "shipmentFee")]
    if paid is None or all(each is None for each in named):
        return None
    fees = Money(minor=0, currency=paid.currency)
    for each in named:
        fees = fees + rounded_money(each or 0, paid.currency, f"{path}.fees")
    return fees
