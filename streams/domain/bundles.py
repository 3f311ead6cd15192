"""Components that go back into stock only as the bundle they were sold in (INV-9).

The units of a return are put together to bundles by their ids, whatever is inspected first: the n-th bundle is made of
the n-th units of each of its order lines, those of one sold bundle: an order may have the same twice. It is ready once
the list of all units of the return is known, and all parts lie, graded alike, at one place. A bundle that went into
stock stays that bundle until it was taken out again, whatever becomes of the return: its parts are in no other one
meanwhile.
"""

from collections.abc import Iterable, Sequence

from streams.domain.decided import Restocking
from streams.domain.learnt import Line
from streams.domain.own import Own
from streams.domain.seat import GONE, Seat, as_bundle, units_known


def assemble(seats: Sequence[Seat], own: Own) -> None:
    """Sets on each component its whole bundle, or why there is none."""
    if own.restocks:
        _stay_together(seats, own)
    wanted: dict[tuple[str, str, str], list[Seat]] = {}
    for seat in seats:
        if seat.bundle or seat.withdrawn or not _is_component(seat):
            continue
        if _makes_bundles(seat) or seat.found is None:  # who did not come yet may come to a place that makes bundles
            wanted.setdefault((seat.rma.rma_id, *_bundle(seat)), []).append(seat)
    for (_, sku, sold), group in wanted.items():
        order = group[0].order
        if order is not None and any(_makes_bundles(seat) for seat in group):
            lines = [each for each in order.lines if each.bundle_sku == sku and each.group == sold]
            _put_together(sku, group, [each for each in lines if each.bundle_quantity > 0])


def _makes_bundles(seat: Seat) -> bool:
    return seat.model.bundles.component == "bundle"


def _stay_together(seats: Sequence[Seat], own: Own) -> None:
    """The parts of bundles that we put into stock, or are about to, and that were not taken out again."""
    last: dict[str, Restocking] = {}
    for decision in sorted(own.restocks, key=lambda d: d.generation):
        if decision.piece.startswith(f"{decision.rma_id}/{decision.sku}|"):
            last[decision.piece] = decision
    if not last:
        return
    named = {(seat.rma.rma_id, seat.unit.unit_id): seat for seat in seats}
    for decision in last.values():
        mine = [named[decision.rma_id, each] for each in decision.unit_ids if (decision.rma_id, each) in named]
        out = decision.quantity < 0 and own.restocked(decision)[0] == "applied"
        if out or len(mine) < len(decision.unit_ids):
            continue
        for seat in mine:
            seat.bundle, seat.bundle_sku, seat.incomplete = tuple(mine), decision.sku, _problem(mine)


def _is_component(seat: Seat) -> bool:
    said, line = seat.unit.said, seat.line
    if not said.ships or said.quantity != 1 or line is None:
        return False
    return bool(line.bundle_sku) and line.bundle_quantity > 0 and not as_bundle(seat)


def _bundle(seat: Seat) -> tuple[str, str]:
    """Its SKU, and the sold one that the seat's line is a part of."""
    line = seat.line
    return ("", "") if line is None else (line.bundle_sku or "", line.group)


def _put_together(sku: str, group: Sequence[Seat], lines: Sequence[Line]) -> None:
    units = {line.line_id: sorted(_of(line, group), key=lambda s: s.unit.unit_id) for line in lines}
    for number in range(max(len(each) for each in units.values())):
        mine = [seat for line in lines for seat in _share(line, units[line.line_id], number)]
        whole = all(len(_share(line, units[line.line_id], number)) == _per_bundle(line) for line in lines)
        for seat in mine:
            seat.bundle, seat.bundle_sku = tuple(mine), sku
            if whole or not units_known(seat.rma):
                seat.incomplete = _problem(mine)
            else:
                seat.incomplete = "parts of the bundle are not in the return"


def _of(line: Line, group: Iterable[Seat]) -> list[Seat]:
    return [seat for seat in group if seat.line is not None and seat.line.line_id == line.line_id]


def _per_bundle(line: Line) -> int:
    return max(line.quantity // line.bundle_quantity, 1)


def _share(line: Line, units: Sequence[Seat], number: int) -> Sequence[Seat]:
    each = _per_bundle(line)
    return units[number * each : (number + 1) * each]


def _problem(parts: Sequence[Seat]) -> str:
    seen = [seat for seat in parts if seat.found is not None]
    if any(seat.found is not None and seat.found.disposition in GONE for seat in seen):
        return "parts of the bundle did not come back"
    ends = {(seat.status, None if seat.place is None else seat.place.location_id) for seat in seen}
    return "parts of the bundle are graded differently or lie at different places" if len(ends) > 1 else ""


def broken(seats: Iterable[Seat]) -> None:
    """Marks the bundles of which others put parts into stock: the rest cannot go there as that bundle any more."""
    for seat in seats:
        if seat.bundle and seat.restocked != "elsewhere" and any(s.restocked == "elsewhere" for s in seat.bundle):
            seat.incomplete = "others put parts of the bundle back"


def all_here(seat: Seat) -> bool:
    """Whether nothing of its bundle is still to be inspected, as far as all units of its return are known."""
    return not seat.bundle or (units_known(seat.rma) and all(part.found is not None for part in seat.bundle))
