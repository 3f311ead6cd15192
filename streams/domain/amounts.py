"""What returned units are worth: their exact share of what their order line cost (MON-2).

What is left of a line is split over the units that are left by largest remainder, the earlier unit taking the odd minor
unit. What was really paid before counts, whoever paid it and however it was rounded, so the last units take all that is
left and the refunds of a line add up to what it cost. Taxes and duties go by units: a refund of n units after k takes
their shares k+1 … k+n.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from schemas.merchant_model import Cash
from schemas.money import split
from streams.domain import rounding
from streams.domain.decided import Repaid, Share
from streams.domain.learnt import Line, Order
from streams.domain.seat import Seat


class Counted(NamedTuple):
    """Lines that units take from, by id, and how many units of each."""

    lines: dict[str, Line]
    units: dict[str, int]


def first_units(total: int, quantity: int, units: int) -> int:
    """Part of `total` that the first `units` of `quantity` units take: the sum of that many shares of `money.split`."""
    if quantity <= 0:
        return 0
    size, odd = divmod(abs(total), quantity)
    worth = size * units + min(units, odd)
    return worth if total >= 0 else -worth


def shares(seats: Iterable[Seat], before: dict[str, int], paid: dict[str, int] | None = None) -> tuple[Share, ...]:
    """Share per line of these units; `before`: units of each line that were paid for already, `paid`: what went back
    for them, where that is known."""
    return shares_of(counted(seats), before, {} if paid is None else paid)


def shares_of(taken: Counted, before: dict[str, int], paid: dict[str, int]) -> tuple[Share, ...]:
    """The same of units that were counted."""
    return tuple([
        share(taken.lines[line_id], count, before.get(line_id, 0), paid.get(line_id))
        for line_id, count in sorted(taken.units.items())
    ])  # fmt: skip


def share(line: Line, count: int, before: int, paid: int | None) -> Share:
    """The next `count` units of one line, as `shares`."""
    left, gone = line.quantity - before, first_units(line.net_minor, line.quantity, before) if paid is None else paid
    worth = line.net_minor - gone
    if left <= 0 or (worth < 0 <= line.net_minor):
        # more units, or more money, than there is: `beyond` and the account say so
        worth, left = (line.net_minor, line.quantity) if left <= 0 else (0, left)
    return Share(
        line_id=line.line_id, quantity=count, amount_minor=first_units(worth, left, count),
        leeway_minor=rounding.leeway(line, count, before), last=count == left,
    )  # fmt: skip


def moved(shares: tuple[Share, ...], off: int, limits: Sequence[int]) -> tuple[Share, ...]:
    """The shares as they are when all together come to `off` more (below zero: less), each within its limit; as they
    were where the limits do not allow it."""
    if not off or abs(off) > sum(limits):
        return shares
    return tuple(
        replace(share, amount_minor=share.amount_minor + part)
        for share, part in zip(shares, split(off, limits), strict=True)
    )


def tax(taken: Counted, before: dict[str, int]) -> int:
    """The tax within the shares of these units."""
    parts = [(taken.lines[line_id], count) for line_id, count in taken.units.items()]
    return sum([_part(line, line.tax_minor, count, before) for line, count in parts if line.tax_minor])


def duties(taken: Counted, before: dict[str, int]) -> int:
    """The duties that were paid for these units, which no share includes."""
    parts = [(taken.lines[line_id], count) for line_id, count in taken.units.items()]
    return sum([_part(line, line.duty_minor, count, before) for line, count in parts if line.duty_minor])


def shipping_tax(order: Order, shipping: int) -> int:
    """The tax within a part of the order's shipping."""
    if not 0 < shipping <= order.shipping_minor:
        return 0
    return split(order.shipping_tax_minor, [shipping, order.shipping_minor - shipping])[0]


def beyond(given: Iterable[Share], before: dict[str, int], bought: dict[str, int]) -> tuple[Share, ...]:
    """Shares that ask for more units of a line than were bought and not paid back before."""
    return tuple([s for s in given if before.get(s.line_id, 0) + s.quantity > bought.get(s.line_id, 0)])


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
        rounding_minor=amount - share.amount_minor, coin_minor=coin,
    )  # fmt: skip


def claimed(seats: Iterable[Seat]) -> int | None:
    """What ReturnGO says these units cost, with tax, before fees; None while it does not say so of each."""
    said = [seat.unit.said for seat in seats]
    return _sum((each.paid_minor for each in said), sum(each.paid_rest for each in said))


def claimed_tax(seats: Iterable[Seat]) -> int | None:
    """The tax within that; None while it does not say so of each."""
    said = [seat.unit.said for seat in seats]
    return _sum((each.tax_minor for each in said), sum(each.tax_rest for each in said))


def replacement(seats: Sequence[Seat], before: dict[str, int], paid: dict[str, int] | None = None) -> int:
    """What is sent instead of these units costs, with tax: as much as they cost for those of which it is not said, or
    of which ReturnGO says so."""
    # what costs as much as ReturnGO says was paid is even, however ReturnGO has rounded that
    priced = [s for s in seats if s.unit.said.exchange_minor not in (None, s.unit.said.paid_minor)]
    even = sum(s.amount_minor for s in shares(seats, before, paid))
    even -= sum(s.amount_minor for s in shares(priced, before, paid))
    return even + sum(seat.unit.said.exchange_minor or 0 for seat in priced)


def fees(seats: Iterable[Seat]) -> int:
    """What is kept back from these units."""
    return sum(seat.unit.said.fees_minor for seat in seats)


def _sum(figures: Iterable[int | None], rest: int) -> int | None:
    """`rest`: what rounding took off them, in millionths of a minor unit; prices that others divided add up again."""
    total = (rest + 500_000) // 1_000_000
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return total


def counted(seats: Iterable[Seat]) -> Counted:
    """What these units are of their lines."""
    lines: dict[str, Line] = {}
    counts: dict[str, int] = {}
    for seat in seats:
        for line, count in seat.parts:
            lines[line.line_id] = line
            counts[line.line_id] = counts.get(line.line_id, 0) + count
    return Counted(lines, counts)


def _part(line: Line, minor: int, count: int, before: dict[str, int]) -> int:
    known = before.get(line.line_id, 0)
    return first_units(minor, line.quantity, known + count) - first_units(minor, line.quantity, known)
