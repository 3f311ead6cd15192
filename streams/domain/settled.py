"""What went back of each order line, by whatever means and whoever did it: units, and the money for the goods.

A refund names lines and units, what its system says these are worth, and one amount for all of them. As long as
rounding explains how far that amount is off their worth, it is what went back for them; a part amount, a fee or
something added on top says nothing about the goods, so they count with their worth.
"""

from collections.abc import Iterable

import msgspec

from streams.domain import amounts
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Money, Paying, Share
from streams.domain.echoes import by_line
from streams.domain.learnt import Effect, Line, Moved, Order, Step
from streams.domain.seat import Seat


class Settled(msgspec.Struct, frozen=True):
    """Per line id: units, and minor units with tax."""

    units: dict[str, int]
    minor: dict[str, int]

    def add(self, parts: Iterable[Share]) -> None:
        for part in parts:
            self.units[part.line_id] = self.units.get(part.line_id, 0) + part.quantity
            self.minor[part.line_id] = self.minor.get(part.line_id, 0) + part.amount_minor


def by_others(effects: Iterable[Effect], order: Order) -> list[Share]:
    """What refunds that are none of ours say was paid back for lines of the order."""
    lines = {line.line_id: line for line in order.lines}
    found: list[Share] = []
    for effect in effects:
        if effect.kind in PAID_KINDS and effect.moved:
            goods = effect.total_minor - min(effect.shipping_minor, effect.total_minor)
            found += paid_for(_worth(effect.moved, lines), goods)
    return found


def as_told(seats: Iterable[Seat], order: Order) -> list[Share]:
    """What ReturnGO says it paid for units while no system shows a refund that names them."""
    told: dict[str, tuple[Step, list[Seat]]] = {}
    for seat in seats:
        if seat.money == "elsewhere" and seat.paid_by is None and seat.paid_step is not None:
            step = seat.paid_step
            told.setdefault(f"{seat.rma.rma_id}/{step.transaction_id}", (step, []))[1].append(seat)
    found: list[Share] = []
    for step, paid in told.values():
        worth = amounts.shares(paid, {})
        known = step.amount_minor is not None and step.currency in (None, order.currency)
        found += paid_for(worth, step.amount_minor or 0) if known else worth
    return found


def by_us(decision: Money, amount: int) -> tuple[Share, ...]:
    """What one of our payments gave for its lines, once it is known that it came to `amount`."""
    off = amount - decision.amount_minor if isinstance(decision, Paying) else 0
    limits = [0 if share.last else share.leeway_minor for share in decision.shares]
    return amounts.moved(decision.shares, off, limits)


def paid_for(worth: tuple[Share, ...], amount: int) -> tuple[Share, ...]:
    """The same units with what was paid for them when all together were paid with `amount`."""
    return amounts.moved(worth, amount - sum(share.amount_minor for share in worth), [s.leeway_minor for s in worth])


def _worth(moved: tuple[Moved, ...], lines: dict[str, Line]) -> tuple[Share, ...]:
    found: list[Share] = []
    told: dict[str, list[int]] = {}
    for each in moved:
        told.setdefault(each.line_id, []).append(each.amount_minor)
    for line_id, count in by_line(moved).items():
        line, said = lines.get(line_id), told[line_id]
        if line is None:
            found.append(Share(line_id=line_id, quantity=count, amount_minor=0))
            continue
        worth = amounts.share(line, count, 0, None)
        most = max(line.net_minor, 0)
        known = count > 0 and min(said) >= 0
        found.append(msgspec.structs.replace(worth, amount_minor=min(sum(said), most)) if known else worth)
    return tuple(found)
