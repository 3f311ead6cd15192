"""Orders whose goods came back although the returns portal told of no return of them (ELG-3).

A request that nobody approved yet is not read, so that none was told does not say that there is none.

Everyday business shows nothing of the kind: money that was given back alone, units that were taken off an order before
they were sent, and goods that were sold in a store and come back to one.
"""

from streams.domain.causes import Cause
from streams.domain.explain import count
from streams.domain.learnt import Claim, Effect, Learnt, Rma
from streams.domain.seating import Seating

Seen = tuple[int, str]  # when, and what in words
_OTHERS_SAY = {"in_transit", "received", "inspected"}  # milestones that carriers and warehouses report, too


def came_back(seating: Seating, learnt: Learnt) -> list[Seen]:
    """What shows it, earliest first. Pieces without a return that were inspected are raised as orphans already."""
    order = learnt.order
    if order is None or any(_of_portal(rma) for rma in learnt.rmas.values()):
        return []
    orphans = {spare.claim for spare in seating.spare}
    found = [_counted(each) for each in learnt.claims if not each.rma_id and each not in orphans and _there(each)]
    if not (order.store or order.source == "pos" or order.cancelled):
        found += [_taken_back(each) for each in seating.own.foreign if not _known_return(each) and _units(each)]
    return sorted(found)


def cause(learnt: Learnt, seen: list[Seen]) -> Cause:
    """One per order, whatever came back."""
    name = "" if learnt.order is None else learnt.order.name
    what = "; ".join(text for _, text in seen)
    return Cause(
        type="order_not_in_portal", rma_id="", subject="order",
        detail=f"goods of order {name} came back, no return of it was told by ReturnGO "
        f"(requests that wait for approval are not read): {what}",
    )  # fmt: skip


def _of_portal(rma: Rma) -> bool:
    return any(mark not in _OTHERS_SAY for mark in rma.marks) or any(unit.said.rank for unit in rma.units.values())


def _there(claim: Claim) -> bool:
    return claim.disposition not in ("missing", "not_returned")


def _known_return(effect: Effect) -> bool:
    return effect.actor == "returngo" or bool(effect.rma_id)


def _units(effect: Effect) -> int:
    """Units that somebody had in hand."""
    if effect.kind in ("store_return", "restock"):
        return sum(moved.quantity for moved in effect.moved)
    return sum(moved.quantity for moved in effect.moved if moved.restocked and not moved.unsent)


def _counted(claim: Claim) -> Seen:
    return claim.stamp.at_ms, f"{claim.quantity} × {claim.sku or claim.line_id} counted by {claim.source}"


def _taken_back(effect: Effect) -> Seen:
    what = effect.kind.replace("_", " ")
    return (
        effect.stamp.at_ms,
        f"{what} {effect.external_id} of {count(_units(effect), 'unit')} in {effect.system or 'a shop'}",
    )
