"""Movements of a unit's goods: into stock once, and out again when what was applied is no longer right.

Movements of one unit follow each other, never two at once: each is decided against what its forerunners really did. A
restock that was applied and then graded anew, or whose return was cancelled without anybody having been paid, is taken
out (a quantity below zero at the place where it was put), and then put where the new grade says, or back once it turns
out that somebody paid. Its generation tells each movement from the ones before. Where the merchant wants late
changes raised instead, nothing of this happens; nor for pieces that are counted and bear no names, for nobody can say
which of them was graded anew.
"""

from collections.abc import Sequence

from schemas import ids
from schemas.sku import same_sku
from streams.domain.decided import Restocking, graded
from streams.domain.learnt import Learnt
from streams.domain.own import Own, command_ids
from streams.domain.seat import GONE, Seat, as_bundle, as_numbered


def follow(seat: Seat, history: Sequence[Restocking], own: Own) -> None:
    """Sets how far the goods have come after these movements, and which of them is to be undone."""
    last = max(history, key=lambda each: each.generation)
    seat.moves, seat.restocking = last.generation + 1, last
    seat.restocked, seat.restock_result, seat.answer = own.restocked(last)
    if not compensates(seat) or (seat.dispute and not seat.stopped):
        return
    if last.quantity < 0:
        seat.restocked = "undecided" if seat.restocked == "applied" else seat.restocked
    elif seat.restocked == "refused" and _graded_anew(seat, last) and _elsewhere(seat, last) and _void(seat, last, own):
        seat.restocked = "undecided"
    elif seat.restocked == "applied" and _wrong(seat, last):
        seat.restocked, seat.undo = "open", last


def piece(seat: Seat) -> str:
    """Identity of what moves: the unit, its physical piece where pieces are counted, or its whole bundle."""
    if not seat.bundle:
        return seat.piece
    return f"{seat.rma.rma_id}/{seat.bundle_sku}|{','.join(sorted(part.unit.unit_id for part in seat.bundle))}"


def compensates(seat: Seat) -> bool:
    """Whether what was put into stock for this unit may be taken out again by us."""
    return seat.model.restocking.late_changes == "compensate"


def leaving(seat: Seat) -> bool:
    """Whether its goods are on their way out of stock again."""
    return seat.undo is not None or (seat.restocking is not None and seat.restocking.quantity < 0)


def grade(seat: Seat) -> str:
    """What the inspection said, as far as it decides a movement."""
    return "" if seat.found is None else graded(seat.found.disposition, seat.source, seat.found.location)


def _graded_anew(seat: Seat, done: Restocking) -> bool:
    return done.grade not in ("", grade(seat))


def _void(seat: Seat, done: Restocking, own: Own) -> bool:
    """Whether nothing of a refused movement was done, or will be. One that the stock agent found impossible is still to
    come: it is commanded once its item can take it, and what it put in is taken out then."""
    results = [own.learnt.results.get(each) for each in command_ids(done, seat.answer)]
    return all(result is not None and result.outcome == "rejected" for result in results)


def _wrong(seat: Seat, done: Restocking) -> bool:
    if seat.stopped:
        return seat.money not in ("open", "applied", "elsewhere")
    return _graded_anew(seat, done) and _elsewhere(seat, done)


def _elsewhere(seat: Seat, done: Restocking) -> bool:
    if seat.found is None:
        return False
    if seat.found.disposition in GONE or seat.place is None:
        return True
    return (seat.model.stock, seat.place.location_id, seat.status) != (done.system, done.location_id, done.stock_status)


def put(seat: Seat, learnt: Learnt) -> Restocking:
    """The unit goes into stock; only for one that is ready for it."""
    place, status, line = seat.place, seat.status, seat.line
    if seat.bundle:
        return _put_bundle(seat, learnt)
    if place is None or status is None:
        raise ValueError(f"expected a mapped place for unit {seat.key}, which is ready for stock")
    named = seat.piece == seat.key
    units = (seat.unit.unit_id,) if named else (seat.piece,)
    one_line = line if line is not None and len(seat.parts) == 1 else None
    sold = one_line if one_line is not None and as_numbered(seat) and not as_bundle(seat) else None
    said = seat.unit.said
    return Restocking(
        decision_id=ids.command_id(
            merchant=learnt.merchant, system=seat.model.stock, kind="restock",
            rma_id=seat.rma.rma_id if named else "", unit_ids=units, generation=seat.moves,
        ),
        system=seat.model.stock, rma_id=seat.rma.rma_id, unit_ids=units, decided_at_ms=learnt.now_ms,
        sku=(sold.sku if sold else "") or seat.sku, line_id=None if one_line is None else one_line.line_id,
        location_id=place.location_id, quantity=said.quantity, stock_status=status,
        variant_id=(said.variant_id if as_numbered(seat) else None) or (sold.variant_id if sold else None),
        item_id=sold.item_id if sold else None, piece="" if named else seat.piece, generation=seat.moves,
        grade=grade(seat), as_bundle=seat.model.bundles.returned == "bundle", stocked_before=_stocked_before(seat),
        options=said.options,
        told_sku=said.sku if sold and sold.sku and said.sku and not same_sku(said.sku, sold.sku) else "",
    )  # fmt: skip


def _put_bundle(seat: Seat, learnt: Learnt) -> Restocking:
    if seat.place is None or seat.status is None:
        raise ValueError(f"expected a mapped place for bundle {seat.bundle_sku}, which is ready for stock")
    units = tuple(sorted(part.unit.unit_id for part in seat.bundle))
    return Restocking(
        decision_id=ids.command_id(
            merchant=learnt.merchant, system=seat.model.stock, kind="restock", rma_id=seat.rma.rma_id,
            unit_ids=(seat.bundle_sku, *units), generation=seat.moves,
        ),
        system=seat.model.stock, rma_id=seat.rma.rma_id, unit_ids=units, decided_at_ms=learnt.now_ms,
        sku=seat.bundle_sku, line_id=None, location_id=seat.place.location_id, quantity=1, stock_status=seat.status,
        variant_id=None, item_id=None, piece=piece(seat), generation=seat.moves, grade=grade(seat), as_bundle=True,
        stocked_before=_stocked_before(seat),
    )  # fmt: skip


def _stocked_before(seat: Seat) -> bool:
    last = seat.restocking
    return last is not None and (last.quantity < 0 or last.stocked_before)


def take_out(seat: Seat, done: Restocking, learnt: Learnt) -> Restocking:
    """What `done` put into stock leaves it again, at the same place."""
    named = seat.piece == seat.key or bool(seat.bundle)
    return Restocking(
        decision_id=ids.command_id(
            merchant=learnt.merchant, system=done.system, kind="restock", rma_id=done.rma_id if named else "",
            unit_ids=(*((seat.bundle_sku,) if seat.bundle else ()), *done.unit_ids), generation=seat.moves,
        ),
        system=done.system, rma_id=done.rma_id, unit_ids=done.unit_ids, decided_at_ms=learnt.now_ms, sku=done.sku,
        line_id=done.line_id, location_id=done.location_id, quantity=-done.quantity, stock_status=done.stock_status,
        variant_id=done.variant_id, item_id=done.item_id, piece=done.piece, generation=seat.moves, grade=grade(seat),
        as_bundle=done.as_bundle, stocked_before=True, options=done.options,
    )  # fmt: skip
