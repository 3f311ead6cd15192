"""Fees follow their units, whenever these are paid: what one payment cannot keep back, another of the return does.

A unit may have a fee that is greater than its price. Paid beside others, the rest of the fee is kept from them; paid
apart, it is carried to the next payment of the same return. What each payment kept beyond the fees of its own units is
written in it, so nothing is kept twice. Once nothing of the return is left to be paid, the rest is raised.
"""

from collections.abc import Iterable, Sequence

from streams.domain import amounts
from streams.domain.causes import Cause
from streams.domain.decided import Money
from streams.domain.explain import money
from streams.domain.own import Own
from streams.domain.proposal import Proposal
from streams.domain.seat import gone
from streams.domain.standing import Standing
from streams.domain.walk import wants_money


class Fees:
    """Fees by return that were not kept back yet, in minor units; below zero: kept for units that are still to be
    paid."""

    def __init__(self, own: Own) -> None:
        self.owed: dict[str, int] = {}
        for decision in own.payments:
            if decision.carried_minor and own.track(decision) != "refused":
                self._add(decision.rma_id, -decision.carried_minor)

    def for_payment(self, rma_id: str, fees: int) -> int:
        """What the next payment of the return keeps back beyond the `fees` of its own units: never less than nothing
        of all."""
        return max(self.owed.get(rma_id, 0), -max(fees, 0))

    def paid(self, proposal: Proposal, decision: Money | None) -> None:
        """A payment goes out; or nothing is due, for its units are worth less than their fees: the rest is to be
        kept."""
        beyond = proposal.fees - proposal.value if decision is None else -decision.carried_minor
        self._add(proposal.seats[0].rma.rma_id, beyond)

    def _add(self, rma_id: str, minor: int) -> None:
        self.owed[rma_id] = self.owed.get(rma_id, 0) + minor

    def lost(self, standings: Iterable[Standing], own: Own) -> Iterable[Cause]:
        """Fees that nothing is left to be kept from."""
        order = own.learnt.order
        if order is None or not any(minor > 0 for minor in self.owed.values()):
            return
        mine: dict[str, list[Standing]] = {}
        for standing in standings:
            mine.setdefault(standing.seat.rma.rma_id, []).append(standing)
        for rma_id, minor in sorted(self.owed.items()):
            if minor > 0 and not any(_to_come(each) for each in mine.get(rma_id, ())):
                what = money(minor, order.currency)
                units = tuple(sorted(s.seat.unit.unit_id for s in mine.get(rma_id, ()) if s.seat.unit.said.fees_minor))
                yield Cause(
                    type="amount_mismatch", rma_id=rma_id, subject="fees", expected=what,
                    actual=money(0, order.currency), unit_ids=units,
                    detail=f"{what} of the fees could not be kept back: nothing of the return is left to be paid",
                )  # fmt: skip


def greater_first(groups: list[tuple[list[Standing], bool]]) -> list[tuple[list[Standing], bool]]:
    """Of each return first the units whose fees are greater than their worth: the others are to keep the rest."""
    return sorted(groups, key=lambda each: (each[0][0].seat.rma.rma_id, not _greater(each[0])))


def _greater(ready: Sequence[Standing]) -> bool:
    seats = [standing.seat for standing in ready]
    fees = amounts.fees(seats)
    return fees > 0 and fees > sum(share.amount_minor for share in amounts.shares(seats, {}))


def _to_come(standing: Standing) -> bool:
    seat = standing.seat
    open_ = seat.money == "undecided" and not seat.stopped and wants_money(seat) and not standing.nothing_due
    return open_ and not (gone(seat) and "resolved" in seat.rma.marks)
