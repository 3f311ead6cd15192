"""Pieces that are counted by a SKU alone, where several items of the case carry it (INV-19).

A wrong guess would put the wrong item into stock and pay the wrong price, so a piece gets its unit only where nothing
depends on which: what was decided already stays, and so does what another source graded alike; other pieces wait until
they cover all units that they can be and are all alike, or until one item alone is left. Where a line is named later,
that tells which one a piece was: it is not counted twice.
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial

from schemas.sku import meant
from streams.domain.allotment import Allotment, give, preference
from streams.domain.counted import Units, item_of, subject
from streams.domain.decided import Restocking, graded
from streams.domain.learnt import Claim
from streams.domain.seat import Seat

Left = dict[Claim, int]  # pieces of each claim that have no unit yet
_SHOWN = 10


def allot(claims: Sequence[Claim], clear: Iterable[Claim], units: Units, restocks: Iterable[Restocking]) -> Left:
    """Allots what can be, after the `clear` claims; what no unit is left for. What is held stands on its units."""
    left = {claim: claim.quantity for claim in claims}
    _decided(claims, left, units, restocks)
    later = {claim: claim.quantity for claim in sorted(clear) if claim.line_id}
    allotment, over = Allotment(units), Left()
    for group in _groups(claims, left, lambda claim: (not claim.rma_id, subject(claim))):
        if not _sure(group, _open(group, units), {claim: claim.quantity for claim in group}):
            _told_later(group, later, left, units)
        if _sure(group, _free(group, units), left):
            over |= _out(group, left, allotment)
    for group in _groups(claims, left, lambda claim: meant(claim.sku)):
        seats = _free(group, units)
        if _sure(group, seats, left) or all(seat.found is not None for seat in seats):
            over |= _out(group, left, allotment)
        else:
            _hold(group, seats, left)
    return over


def _groups(claims: Iterable[Claim], left: Left, key: Callable[[Claim], Hashable]) -> list[list[Claim]]:
    """Claims that something is left of, those that name their return first."""
    found: dict[Hashable, list[Claim]] = {}
    for claim in sorted(claims, key=lambda each: not each.rma_id):
        if left[claim]:
            found.setdefault(key(claim), []).append(claim)
    return list(found.values())


def _decided(claims: Iterable[Claim], left: Left, units: Units, restocks: Iterable[Restocking]) -> None:
    """Units whose piece went into stock, that another source graded alike, or that were paid for."""
    alike: dict[Hashable, list[Claim]] = {}
    for claim in claims:
        alike.setdefault((subject(claim), claim.disposition, claim.source, claim.location), []).append(claim)
    lying = _lying(restocks)
    for seat in _each(units.places(group[0]) for group in alike.values()):
        if seat.counted and seat.found is not None:
            lying[_line(seat), graded(seat.found.disposition, seat.source, seat.found.location)] -= 1
    for paid in (False, True):
        for group in alike.values():
            seats = [seat for seat in units.places(group[0]) if not seat.counted]
            if paid:
                _fill(group, [seat for seat in seats if seat.paying is not None and seat.found is None], left)
            else:
                _fill(group, _known(group[0], seats, lying), left)


def _known(claim: Claim, seats: Iterable[Seat], lying: Counter[tuple[str, str]]) -> Iterator[Seat]:
    grade = graded(claim.disposition, claim.source, claim.location)
    for seat in seats:
        if lying[_line(seat), grade] > 0:
            lying[_line(seat), grade] -= 1
            yield seat
        elif seat.found is not None and seat.found.disposition == claim.disposition:
            yield seat


def _fill(group: Sequence[Claim], seats: Iterable[Seat], left: Left) -> None:
    """Claims that say the same give their pieces to these seats."""
    waiting = deque(claim for claim in group if left[claim])
    for seat in sorted(seats, key=partial(preference, group[0])):
        if waiting and left[waiting[0]] >= seat.unit.said.quantity:
            give(waiting[0], seat)
            left[waiting[0]] -= seat.unit.said.quantity
            if not left[waiting[0]]:
                waiting.popleft()


def _lying(restocks: Iterable[Restocking]) -> Counter[tuple[str, str]]:
    """How many pieces of each line and grade are in stock, or on their way there."""
    last = {each.moved: each for each in sorted(restocks, key=lambda each: each.generation)}
    return Counter((each.line_id or meant(each.sku), each.grade) for each in last.values() if each.quantity > 0)


def _line(seat: Seat) -> str:
    return seat.line.line_id if seat.line is not None and len(seat.parts) == 1 else meant(seat.sku)


def _sure(claims: Sequence[Claim], seats: Sequence[Seat], pieces: Left) -> bool:
    """Whether nothing depends on which of the seats has which of so many pieces."""
    if len({item for seat in seats if (item := item_of(seat))}) < 2:
        return True
    alike = len({(claim.disposition, claim.source, claim.location) for claim in claims}) == 1
    return alike and sum(pieces[claim] for claim in claims) >= sum(seat.unit.said.quantity for seat in seats)


def _told_later(claims: Iterable[Claim], later: Left, left: Left, units: Units) -> None:
    """Takes off what was counted again with its line."""
    waiting = deque(sorted(claims))
    seats = _each(units.places(claim) for claim in waiting)
    lines = {line.line_id for seat in seats for line, _ in seat.parts}
    returns = {seat.rma.rma_id for seat in seats} | {""}
    for named in later:
        while waiting and later[named] and named.line_id in lines and named.rma_id in returns:
            if waiting[0].stamp.at_ms >= named.stamp.at_ms:
                break
            same = min(later[named], left[waiting[0]])
            later[named] -= same
            left[waiting[0]] -= same
            if not left[waiting[0]]:
                waiting.popleft()


def _open(claims: Iterable[Claim], units: Units) -> list[Seat]:
    """Units that the claims can mean; those of returns that ended only where there are no others."""
    seats = _each(units.places(claim) for claim in claims)
    return [seat for seat in seats if not seat.stopped] or seats


def _free(claims: Iterable[Claim], units: Units) -> list[Seat]:
    seats = [seat for seat in _each(units.places(claim) for claim in claims) if not seat.counted]
    return [seat for seat in seats if not seat.stopped] or seats


def _each(lists: Iterable[list[Seat]]) -> list[Seat]:
    """All of them once; claims of one subject share their list."""
    different = {id(seats): seats for seats in lists}
    return list({seat.key: seat for seats in different.values() for seat in seats}.values())


def _out(claims: Iterable[Claim], left: Left, allotment: Allotment) -> Left:
    over = allotment.all((claim, left[claim]) for claim in claims)
    left.update(dict.fromkeys(claims, 0))
    return over


def _hold(claims: Sequence[Claim], seats: Sequence[Seat], left: Left) -> None:
    lines = sorted({line.line_id for seat in seats for line, _ in seat.parts})
    pieces, sku, source = sum(left[claim] for claim in claims), claims[0].sku.strip(), claims[0].source
    detail = (
        f"{source} counted {pieces} piece(s) of SKU {sku} without a line, and several items carry it: "
        f"lines {', '.join(lines[:_SHOWN])}"
    )
    for seat in seats:
        if seat.found is None:
            seat.unclear = detail
