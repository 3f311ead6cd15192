"""What became of the units of a Shopify order's lines: sent, or taken off the order before that. Pure.

`quantity` stays as ordered for ever and `unfulfilledQuantity` falls for two reasons: a unit was sent, or it was taken
off the order. Refunds tell some of the latter (`CANCEL`), an order edit is told by nothing but the counts.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from schemas.facts import OrderLine, RecordedRefund


def counted(lines: Sequence[OrderLine], refunds: Iterable[RecordedRefund], *, complete: bool) -> tuple[OrderLine, ...]:
    """The lines with what was removed and what was sent; as they were where the list of refunds is cut off.

    A unit that was refunded without going into stock counts as sent: the shop does not tell those apart.
    """
    if not complete:
        return tuple(lines)
    refunded: dict[str, int] = {}
    unsent: dict[str, int] = {}
    for each in (line for refund in refunds for line in refund.lines):
        refunded[each.line_id] = refunded.get(each.line_id, 0) + each.quantity
        if each.unsent:
            unsent[each.line_id] = unsent.get(each.line_id, 0) + each.quantity
    return tuple(_line(each, refunded.get(each.line_id, 0), unsent.get(each.line_id, 0)) for each in lines)


def _line(line: OrderLine, refunded: int, unsent: int) -> OrderLine:
    left = line.quantity if line.refundable_quantity is None else line.refundable_quantity
    removed = 0 if line.refundable_quantity is None else max(line.quantity - left - refunded, 0)
    sent = line.fulfilled_quantity
    return replace(
        line, removed_quantity=removed,
        fulfilled_quantity=None if sent is None or not line.ships else max(sent - removed - unsent, 0),
    )  # fmt: skip
