"""Pieces that a source counted: which units they can be, when the first of them arrived, which went into stock."""

from collections.abc import Iterable, Iterator, Sequence

from schemas.sku import meant, same_sku, spelled_so
from streams.domain.decided import Restocking, graded
from streams.domain.learnt import Claim, Learnt, Stamp
from streams.domain.queues import Queue
from streams.domain.seat import GONE, Seat, as_bundle, as_numbered

Subject = tuple[str, str, str]  # return, line and SKU that a claim names, "" for what it does not name


def subject(claim: Claim) -> Subject:
    """What the claim is about, as far as it says."""
    return claim.rma_id, claim.line_id, claim.sku.strip()


class Units:
    """The units of a case by what a claim can name."""

    def __init__(self, seats: Iterable[Seat]) -> None:
        self._by_name: dict[tuple[str, str, str], list[Seat]] = {}
        self._concerned: dict[Subject, list[Seat]] = {}
        self._places: dict[Subject, list[Seat]] = {}
        self._unclear: dict[Subject, bool] = {}
        self._sold: frozenset[str] | None = None  # SKUs of the order
        for seat in seats:
            names = {("line", line.line_id) for line, _ in seat.parts}
            names |= {("line", seat.unit.said.line_id or ""), ("sku", meant(seat.sku))}
            for kind, name in names:
                for rma_id in ("", seat.rma.rma_id) if name else ():
                    self._by_name.setdefault((rma_id, kind, name), []).append(seat)

    def concerned(self, claim: Claim) -> list[Seat]:
        """Those that the claim can mean."""
        about = subject(claim)
        if about not in self._concerned:
            kind, name = ("line", claim.line_id) if claim.line_id else ("sku", meant(claim.sku))
            named = self._by_name.get((claim.rma_id, kind, name), ())
            if claim.line_id:
                self._concerned[about] = [seat for seat in named if _of_line(claim, seat)]
            else:
                self._concerned[about] = spelled_so(claim.sku, named, _sold_as)
        return self._concerned[about]

    def places(self, claim: Claim) -> list[Seat]:
        """Those of them that come back at all; the same list for every claim about the same."""
        about = subject(claim)
        if about not in self._places:
            self._places[about] = [seat for seat in self.concerned(claim) if seat.unit.said.ships]
        return self._places[about]

    def other_sku(self, claim: Claim, seat: Seat) -> bool:
        """Whether the SKU beside the claim's line is that of another line of the order, and none of this unit's."""
        counted = meant(claim.sku)
        lines = [line for line, _ in seat.parts]
        mine = {seat.sku, *(line.sku for line in lines), *(line.bundle_sku or "" for line in lines)}
        if seat.order is None or not counted or counted in map(meant, mine):
            return False
        if self._sold is None:
            self._sold = frozenset(meant(line.sku) for line in seat.order.lines)
        return counted in self._sold

    def unclear(self, claim: Claim) -> bool:
        """Whether it names a SKU alone, and several items carry that."""
        about = subject(claim)
        if about not in self._unclear:
            items = {item_of(seat) for seat in self.places(claim)} if not claim.line_id else set()
            self._unclear[about] = len(items - {""}) > 1
        return self._unclear[about]


class Arrivals:
    """When counted pieces arrived, by the units that they can be."""

    def __init__(self, learnt: Learnt, seats: Sequence[Seat]) -> None:
        first: dict[Subject, Claim] = {}
        for claim in learnt.claims:
            if claim.disposition in GONE:
                continue  # who counts goods as missing has not received them
            about = subject(claim)
            if about not in first or claim.stamp < first[about].stamp:
                first[about] = claim
        self._of_return: dict[str, Stamp] = {}
        self._of_order: dict[str, Stamp] = {}
        units = Units(seats if first else ())
        for claim in first.values():
            known = self._of_return if claim.rma_id else self._of_order
            for seat in units.concerned(claim):
                known[seat.key] = min(claim.stamp, known.get(seat.key, claim.stamp))

    def of(self, seat: Seat, *, by_order: bool = True) -> Stamp | None:
        """Earliest arrival of the unit by anyone, named or counted; `by_order`: also of pieces that name no return."""
        seen = [seat.unit.received, seat.rma.marks.get("received"), self._of_return.get(seat.key)]
        if by_order:
            seen.append(self._of_order.get(seat.key))
        return min((each for each in seen if each is not None), default=None)


def item_of(seat: Seat) -> str:
    """Which item its goods are, as far as more than a SKU tells it; "" where nothing does."""
    line = seat.line
    if line is None or not as_numbered(seat):
        return "/".join(sorted(filter(None, map(meant, seat.unit.said.options))))
    if as_bundle(seat):
        return "+".join(
            sorted(f"{each.item_id or each.variant_id or ''} × {each.bundle_quantity}" for each, _ in seat.parts)
        )
    return line.item_id or line.variant_id or ""


def _sold_as(seat: Seat) -> str:
    """Its SKU as the shop spells it, or that of its bundle."""
    return seat.sku if seat.line is None or as_bundle(seat) else seat.line.sku


def _of_line(claim: Claim, seat: Seat) -> bool:
    said = seat.unit.said
    # a part of a bundle is not the bundle
    named = [line for line, _ in seat.parts if line.line_id == claim.line_id]
    whole = any(same_sku(said.sku, line.sku) or same_sku(said.sku, claim.sku) for line in named)
    return claim.line_id == said.line_id or whole


class Stocked:
    """Pieces that we put into stock and did not take out again, each as often as it is there."""

    def __init__(self, restocks: Iterable[Restocking]) -> None:
        pieces = {each.moved: each for each in sorted(restocks, key=lambda d: d.generation)}
        self._left = {name: piece.quantity for name, piece in pieces.items()}
        self._by_name: dict[tuple[str, str | None, str, str], list[tuple[int, Restocking]]] = {}
        self._waiting: dict[tuple[str, str | None, Subject], list[Restocking]] = {}
        for ordinal, piece in enumerate(pieces.values()):
            for rma_id in (None, piece.rma_id):
                kind, name = ("line", piece.line_id) if piece.line_id else ("sku", meant(piece.sku))
                self._by_name.setdefault((piece.grade, rma_id, kind, name), []).append((ordinal, piece))

    def like(
        self, claim: Claim, seats: Sequence[Seat], free: Queue, left: int, rma_id: str | None
    ) -> Iterator[tuple[str, int]]:
        """Pieces of the claim's grade that can lie for one of its seats, and how many of each to place now; `rma_id`:
        of this return, None: of any. `took` says what was placed. Ends once no seat is free for what is left."""
        waiting = self._of(claim, seats, rma_id)
        while waiting and self._left[waiting[-1].moved] <= 0:
            waiting.pop()
        for piece in reversed(waiting):
            if not free.fits(left):
                return
            wanted = min(left, self._left[piece.moved])
            if wanted > 0:
                before = self._left[piece.moved]
                yield piece.moved, wanted
                left -= before - self._left[piece.moved]

    def took(self, piece: str, count: int) -> None:
        """So many of the piece have their unit."""
        self._left[piece] -= count

    def _of(self, claim: Claim, seats: Sequence[Seat], rma_id: str | None) -> list[Restocking]:
        """The last comes first."""
        grade = graded(claim.disposition, claim.source, claim.location)
        key = (grade, rma_id, subject(claim))
        if key not in self._waiting:
            names = {("sku", meant(seat.sku)) for seat in seats}
            names |= {("line", seat.line.line_id) for seat in seats if seat.line is not None}
            found = {
                ordinal: piece for name in names for ordinal, piece in self._by_name.get((grade, rma_id, *name), ())
            }
            self._waiting[key] = [found[ordinal] for ordinal in sorted(found, reverse=True)]
        return self._waiting[key]
