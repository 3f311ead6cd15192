"""What returned units are worth: their exact share of what their order line cost (MON-2).

Whatever a line carries (its net price, its tax, its duties) is split over its units by largest remainder, the earlier
unit taking the odd minor unit. A refund of n units after k were refunded before takes the shares k+1 … k+n, so all
refunds of a line add up to what it cost.
"""

from collections.abc import Callable, Iterable, Sequence

from schemas.merchant_model import Cash
from schemas.money import split
from streams.domain.decided import Repaid, Share
from streams.domain.learnt import Line, Order
from streams.domain.seat import Seat


def first_units(total: int, quantity: int, units: int) -> int:
    """Part of `total` that the first `units` of `quantity` units take: the sum of that many shares of `money.split`."""
    if quantity <= 0:
        return 0
    size, odd = divmod(abs(total), quantity)
    worth = size * units + min(units, odd)
    return worth if total >= 0 else -worth


def shares(seats: Iterable[Seat], before: dict[str, int]) -> tuple[Share, ...]:
    """Share per line of these units; `before`: units of each line that were paid for already."""
    lines, counts = counted(seats)
    return tuple(
        Share(
            line_id=line_id, quantity=count,
            amount_minor=_part(lines[line_id], count, before, lambda line: line.net_minor),
        )
        for line_id, count in sorted(counts.items())
    )  # fmt: skip


def tax(seats: Iterable[Seat], before: dict[str, int]) -> int:
    """The tax within the shares of these units."""
    lines, counts = counted(seats)
    return sum(_part(lines[line_id], count, before, lambda line: line.tax_minor) for line_id, count in counts.items())


def duties(seats: Iterable[Seat], before: dict[str, int]) -> int:
    """The duties that were paid for these units, which no share includes."""
    lines, counts = counted(seats)
    return sum(_part(lines[line_id], count, before, lambda line: line.duty_minor) for line_id, count in counts.items())


def shipping_tax(order: Order, shipping: int) -> int:
    """The tax within a part of the order's shipping."""
    if not 0 < shipping <= order.shipping_minor:
        return 0
    return split(order.shipping_tax_minor, [shipping, order.shipping_minor - shipping])[0]


def beyond(given: Iterable[Share], before: dict[str, int], order: Order) -> tuple[Share, ...]:
    """Shares that ask for more units of a line than were bought and not paid back before."""
    bought = {line.line_id: line.quantity for line in order.lines}
    return tuple(s for s in given if before.get(s.line_id, 0) + s.quantity > bought.get(s.line_id, 0))


def bonus(goods: int, percent: int) -> int:
    """What the merchant gives on top, half a minor unit counting as a whole one."""
    return max((goods * percent + 50) // 100, 0)


def in_coins(share: Repaid, cash: Cash, before: int, handed: int, most: int) -> Repaid:
    """A cash share in whole coins. All that went back to a payment is rounded together, to the nearest coin and half a
    coin up, so that its refunds add up; never above `most`. `before`: due earlier, `handed`: what was paid of it."""
    coin = cash.smallest_minor
    if share.tender not in cash.tenders or coin == 1:
        return share
    due = before + share.amount_minor
    near = (2 * due + coin) // (2 * coin) * coin
    amount = max((near if near <= most else most // coin * coin) - handed, 0)
    return Repaid(
        payment_id=share.payment_id, tender=share.tender, amount_minor=amount,
        rounding_minor=amount - share.amount_minor,
    )  # fmt: skip


def claimed(seats: Iterable[Seat]) -> int | None:
    """What ReturnGO says these units cost, with tax, before fees; None while it does not say so of each."""
    return _sum(seat.unit.said.paid_minor for seat in seats)


def claimed_tax(seats: Iterable[Seat]) -> int | None:
    """The tax within that; None while it does not say so of each."""
    return _sum(seat.unit.said.tax_minor for seat in seats)


def replacement(seats: Sequence[Seat], before: dict[str, int]) -> int | None:
    """What is sent instead of these units costs, with tax: as much as they cost for those of which it is not said;
    None while it is said of none."""
    priced = [seat for seat in seats if seat.unit.said.exchange_minor is not None]
    if not priced:
        return None
    even = sum(s.amount_minor for s in shares(seats, before)) - sum(s.amount_minor for s in shares(priced, before))
    return even + sum(seat.unit.said.exchange_minor or 0 for seat in priced)


def fees(seats: Iterable[Seat]) -> int:
    """What is kept back from these units."""
    return sum(seat.unit.said.fees_minor for seat in seats)


def _sum(figures: Iterable[int | None]) -> int | None:
    total = 0
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return total


def counted(seats: Iterable[Seat]) -> tuple[dict[str, Line], dict[str, int]]:
    """The lines that these units take from, by id, and how many units of each."""
    lines: dict[str, Line] = {}
    counts: dict[str, int] = {}
    for seat in seats:
        for line, count in seat.parts:
            lines[line.line_id] = line
            counts[line.line_id] = counts.get(line.line_id, 0) + count
    return lines, counts


def _part(line: Line, count: int, before: dict[str, int], of: Callable[[Line], int]) -> int:
    known = before.get(line.line_id, 0)
    return first_units(of(line), line.quantity, known + count) - first_units(of(line), line.quantity, known)
