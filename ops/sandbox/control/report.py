"""The books as a report: what moved, what was paid, what was said, totals, and what looks doubled. Read only."""

from collections import Counter
from decimal import Decimal

from ops.sandbox.books import UNNAMED, MoneyOut, Movement, entry
from ops.sandbox.clock import iso
from ops.sandbox.returngo.store import Rma, Store
from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.catalogue import Level
from ops.sandbox.shopify.sales import Order
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import ZERO, Payload


def books(shop: Shop, store: Store) -> Payload:
    """Everything that really happened in a shop and its ReturnGO store."""
    return {
        "shop": shop.domain,
        "stock": [_level(level) for level in shop.all(Level)],
        "movements": [entry(each) for each in shop.books.movements],
        "money": [entry(each) for each in shop.books.money],
        "marks": [entry(each) for each in shop.books.marks],
        "orders": {order.name: _order(shop, order) for order in shop.all(Order)},
        "totals": _totals(shop),
        "calls": {"by_day": shop.books.calls_by_day, **shop.books.counters},
        "returngo": _store(store),
        "findings": findings(shop),
    }


def _level(level: Level) -> Payload:
    names = ("available", "damaged", "quality_control", "reserved", "safety_stock", "incoming")
    return {
        "sku": level.item.known_as,
        "inventory_item_id": level.item.number,
        "location_id": level.location.number,
        "location": level.location.name,
        "active": level.is_active,
        "tracked": level.item.tracked,
        "before": {name: level.opening[name] for name in names},
        "after": {name: level.quantities_held[name] for name in names},
    }


def _order(shop: Shop, order: Order) -> Payload:
    paid, back = Counter[str](), Counter[str]()
    for each in order.payments:
        if each.kind in amounts.MONEY_IN and each.status == "SUCCESS":
            paid[each.gateway] += each.amount  # type: ignore[assignment]
    for each in amounts.outgoing(order):
        if each.status in amounts.COUNTED_OUT:
            back[each.gateway] += each.amount  # type: ignore[assignment]
    return {
        "id": order.number,
        "currency": order.presentment_currency_code,
        "paid": {gateway: str(amount) for gateway, amount in paid.items()},
        "refunded": {gateway: str(amount) for gateway, amount in back.items()},
        "total": str(amounts.total(order)),
        "net_payment": str(amounts.net_payment(order)),
        "financial_status": amounts.financial_status(order),
        "return_status": amounts.return_status(order),
        "units": [_units(line_id, order) for line_id in range(len(order.lines))],
        "returns": [{"name": each.name, "status": each.status} for each in order.returns],
        "refunds": [each.number for each in order.refunds],
        "tags": list(order.tags),
        "note": order.note,
        "metafields": {
            f"{each.namespace}.{each.key}": each.value
            for (owner, _, _), each in shop.metafields.items()
            if owner == order.id
        },
    }


def _units(place: int, order: Order) -> Payload:
    line = order.lines[place]
    return {
        "line_item_id": line.number,
        "sku": line.known_as,
        "bought": line.quantity,
        "refunded": line.refunded,
        "removed": line.removed,
        "sent": line.fulfilled,
        "restocked_by_refund_or_return": line.restocked,
    }


def _totals(shop: Shop) -> Payload:
    moved: dict[str, int] = {}
    for each in shop.books.movements:
        if each.applied:
            place = f"{each.sku}@{each.location_id}.{each.name}"
            moved[place] = moved.get(place, 0) + each.delta
    out: dict[str, Decimal] = {}
    for entry_out in _settled(shop.books.money):
        if entry_out.status in amounts.COUNTED_OUT:
            name = f"{entry_out.kind}.{entry_out.gateway}.{entry_out.currency}"
            out[name] = out.get(name, ZERO) + entry_out.amount
    return {"moved": moved, "money_out": {name: str(amount) for name, amount in out.items()}}


def _settled(entries: list[MoneyOut]) -> list[MoneyOut]:
    """The last word on each transaction: a pending refund that was settled is written twice."""
    return list({(each.kind, each.id): each for each in entries}.values())


def _store(store: Store) -> Payload:
    return {
        "rmas": {str(rma.id): _rma(rma) for rma in store.rmas.values()},
        "outcomes": [
            {
                "at": iso(each.at),
                "kind": each.kind,
                "about": each.about,
                "value": each.value,
                "reference": each.reference,
            }
            for each in store.outcomes
        ],
        "calls_by_day": store.account.calls_by_day,
        "limited": store.account.limited,
    }


def _rma(rma: Rma) -> Payload:
    return {
        "order": rma.order_name,
        "status": rma.status,
        "comments": [each.html for each in rma.comments if each.by == "ReturnGO API"],
        "transactions": [
            {"id": each.id, "status": each.status, "amount": str(each.amount), "reference": each.reference}
            for each in rma.payouts
        ],
    }


def findings(shop: Shop) -> list[Payload]:
    """What must never be there, seen from the books alone."""
    found = [*_unnamed(shop), *_doubled_movements(shop.books.movements), *_doubled_credits(shop.books.money)]
    for order in shop.all(Order):
        found += _order_findings(order)
    for level in shop.all(Level):
        moved = sum(
            each.delta
            for each in shop.books.movements
            if each.applied
            and each.name == "available"
            and (each.inventory_item_id, each.location_id) == (level.item.number, level.location.number)
        )
        if level.opening["available"] + moved != level.quantity("available"):
            found.append({"kind": "books_do_not_add_up", "about": f"{level.item.known_as}@{level.location.number}"})
    return found


def _unnamed(shop: Shop) -> list[Payload]:
    times = shop.books.counters.get(UNNAMED, 0)
    return [{"kind": UNNAMED, "about": shop.domain, "detail": f"{times} calls"}] if times else []


def _doubled_movements(movements: list[Movement]) -> list[Payload]:
    seen: Counter[tuple[str | None, int, int, str]] = Counter(
        (each.reference, each.inventory_item_id, each.location_id, each.name)
        for each in movements
        if each.cause == "adjustment" and each.reference
    )
    return [
        {
            "kind": "same_reference_twice",
            "about": str(reference),
            "detail": f"item {item} at {place}, {name}: {times} times",
        }
        for (reference, item, place, name), times in seen.items()
        if times > 1
    ]


def _doubled_credits(entries: list[MoneyOut]) -> list[Payload]:
    seen = Counter(
        (each.kind, each.note) for each in entries if each.kind in ("gift_card", "store_credit") and each.note
    )
    return [
        {"kind": "same_note_twice", "about": f"{kind}: {note}", "detail": f"{times} times"}
        for (kind, note), times in seen.items()
        if times > 1
    ]


def _order_findings(order: Order) -> list[Payload]:
    found: list[Payload] = []
    if amounts.refunded(order) > amounts.received(order):
        found.append({"kind": "refunded_more_than_paid", "about": order.name, "detail": str(amounts.refunded(order))})
    for line in order.lines:
        if line.gone > line.quantity or line.restocked > line.quantity:
            found.append(
                {
                    "kind": "more_units_than_bought",
                    "about": f"{order.name} {line.known_as}",
                    "detail": str(line.restocked),
                }
            )
    notes = Counter(refund.note for refund in order.refunds if refund.note and refund.transactions)
    found += [
        {"kind": "same_refund_note_twice", "about": f"{order.name}: {note}"}
        for note, times in notes.items()
        if times > 1
    ]
    for native in order.returns:
        for reverse in native.reverse_orders:
            for part in reverse.lines:
                if sum(done.quantity for done in part.dispositions) > part.total_quantity:
                    found.append({"kind": "disposed_more_than_came_back", "about": native.name})
    return found
