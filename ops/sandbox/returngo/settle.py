"""What ReturnGO's merchants and its automation do with the money and the exchanges of an RMA."""

from decimal import Decimal

import msgspec

from ops.sandbox.returngo import changes
from ops.sandbox.returngo.drive import Case, Nothing
from ops.sandbox.returngo.store import Exchange, Goods, Payout, Unit
from ops.sandbox.returngo.views import Json
from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.drafts import complete_draft, new_draft
from ops.sandbox.shopify.refunds import RefundPlan, make_refund
from ops.sandbox.shopify.sales import DraftOrder, Order
from ops.sandbox.shopify.values import ZERO, rounded


class Pay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transaction. `act`: ReturnGO refunds in Shopify itself and reports success."""

    type: str = "RefundToPaymentMethod"
    amount: Decimal | None = None
    units: list[str | int] | None = None
    status: str = "Requested"
    act: bool = False


def pay(case: Case, given: Pay) -> Json:
    """ReturnGO wants money paid, or pays."""
    world, rma, units = case.world, case.rma, case.units(given.units)
    first = rma.units[0]
    worth = sum((unit.paid_price + (ZERO if unit.tax_included else unit.paid_tax) for unit in units), ZERO)
    payout = Payout(
        id=world.number("transaction", 7_300_001),
        rma_id=rma.id,
        type=given.type,
        amount=rounded(worth, first.currency) if given.amount is None else given.amount,
        currency=first.currency,
        shop_currency=first.shop_currency,
        rate=first.rate,
        status=given.status,
        processor="Shopify",
        unit_ids=[unit.id for unit in units],
        created_at=world.clock.now(),
        updated_at=world.clock.now(),
    )
    rma.payouts.append(payout)
    if given.act:
        _refund_in_shopify(case, payout, units)
    changes.payout_created(world, case.store, rma, payout)
    changes.payout_settled(world, case.store, rma, payout)
    return {"transaction_id": payout.id, "reference": payout.reference}


def _refund_in_shopify(case: Case, payout: Payout, units: list[Unit]) -> None:
    order = case.shop.numbered(Order, case.rma.order_id)
    if order is None:
        raise ValueError(f"order {case.rma.order_id} is not in {case.shop.domain}")
    action = case.action()
    asked = {line: sum(1 for unit in units if unit.line_item_id == line.number) for line in order.lines}
    plan = RefundPlan(
        lines=[
            (line, min(count, line.refundable), "NO_RESTOCK", None)
            for line, count in asked.items()
            if min(count, line.refundable)
        ],
        payments=amounts.spread(order, payout.amount),
        credits=[],
        note=f"ReturnGO RMA{case.rma.id}",
    )
    refund = make_refund(action, order, plan)
    action.publish()
    payout.status, payout.reference, payout.reference_type = "Success", str(refund.number), "PlatformRefundId"


class Swap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes out in exchange, at no charge unless a price is given. `effective_price` is what a piece costs as the
    RMA tells it, `unit` the one it is sent instead of; without it the RMA as a whole names it (any-to-any)."""

    sku: str
    quantity: int = 1
    price: Decimal = ZERO
    effective_price: Decimal | None = None
    unit: str | int | None = None


def exchange(case: Case, given: Swap) -> Json:
    """The exchange is prepared as a draft order."""
    variant = case.shop.variants.get(given.sku)
    order = case.shop.numbered(Order, case.rma.order_id)
    if variant is None or order is None:
        raise ValueError(f"SKU {given.sku} or order {case.rma.order_id} is not in {case.shop.domain}")
    draft = new_draft(
        case.action(), [(variant, given.quantity, given.price)], order.customer, f"Exchange for RMA{case.rma.id}"
    )
    case.rma.exchanges.append(Exchange(draft_order_id=draft.number))
    goods = Goods(
        product_id=variant.product.number, variant_id=variant.number, sku=variant.sku, quantity=given.quantity,
        catalog_price=rounded(variant.price / order.rate, order.presentment_currency_code),
        effective_price=given.effective_price,
    )  # fmt: skip
    (case.rma if given.unit is None else case.unit(given.unit)).goods.append(goods)
    return {"draft_order_id": draft.number}


def release_exchange(case: Case, _given: Nothing) -> Json:
    """The draft becomes an order."""
    for each in case.rma.exchanges:
        draft = case.shop.numbered(DraftOrder, each.draft_order_id)
        if draft is not None and draft.status != "COMPLETED":
            action = case.action()
            order = complete_draft(action, draft)
            action.publish()
            each.order_id, each.order_name = order.number, order.name.removeprefix("#")
            changes.comment(case.world, case.rma, "system", "Automation", f"exchange order {order.name} released")
    case.rma.updated_at = case.world.clock.now()
    return {"orders": [each.order_id for each in case.rma.exchanges]}
