"""One event that several systems tell: shop, till and warehouse speak of the same goods, which count once (INV-12).

A refund or store return is the echo of an earlier one when another system tells it, of the same lines and quantities
and the same amount, and both together would be more than was bought. Whatever could have happened twice counts twice:
the worst that follows is that a person looks, and never that something is paid or counted a second time.
"""

from bisect import insort
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from streams.domain.learnt import Effect, Moved, Order

_RETURNS = ("refund", "store_return")


def told_once(foreign: Sequence[Effect], ours: Iterable[Effect], order: Order | None) -> tuple[Effect, ...]:
    """The foreign effects without echoes. What an echo adds, that goods went into stock, is added to its original; of
    an echo of our own refund it is all that is left."""
    own = list(ours)
    if order is None or len({e.system for e in (*foreign, *own)} - {""}) < 2:
        return tuple(foreign)
    bought = {line.line_id: line.quantity for line in order.lines}
    mine, theirs, kept = Told(bought), Told(bought), list[Effect]()
    for place, effect in enumerate(own):
        mine.add(effect, place)
    for effect in foreign:
        ours_at = mine.original(effect)
        if ours_at is not None:
            if put := _put_back(effect, own[ours_at]):
                kept.append(replace(effect, kind="restock", total_minor=0, tenders=(), shop=(), moved=put))
            continue
        at = theirs.original(effect)
        if at is None:
            theirs.add(effect, len(kept))
            kept.append(effect)
        else:
            theirs.drop(kept[at], at)
            kept[at] = _with(kept[at], effect)
            theirs.add(kept[at], at)
    return tuple(kept)


class Told:
    """Effects that a later one may repeat: by what they cover, their system and amount, the first of equals."""

    def __init__(self, bought: dict[str, int]) -> None:
        self._bought = bought
        self._first: dict[frozenset[tuple[str, int]], dict[str, dict[int, list[int]]]] = {}

    def add(self, effect: Effect, place: int) -> None:
        units = by_line(effect.moved)
        if effect.kind in _RETURNS and effect.system and units:
            amounts = self._first.setdefault(frozenset(units.items()), {}).setdefault(effect.system, {})
            insort(amounts.setdefault(effect.total_minor, []), place)

    def drop(self, effect: Effect, place: int) -> None:
        """Of one that was added."""
        amounts = self._first[frozenset(by_line(effect.moved).items())][effect.system]
        amounts[effect.total_minor].remove(place)

    def original(self, effect: Effect) -> int | None:
        """Place of the first effect that another system told: of the same units, and both together would be more than
        was bought. Amounts agree where both tell one."""
        units = by_line(effect.moved)
        if effect.kind not in _RETURNS or not effect.system or not self._more_than_bought(units):
            return None
        found = []
        for system, amounts in self._first.get(frozenset(units.items()), {}).items():
            if system != effect.system:
                alike = (effect.total_minor, 0) if effect.total_minor else tuple(amounts)
                found += [amounts[each][0] for each in alike if amounts.get(each)]
        return min(found, default=None)

    def _more_than_bought(self, units: dict[str, int]) -> bool:
        return any(2 * count > self._bought.get(line_id, 0) for line_id, count in units.items())


def by_line(moved: Iterable[Moved]) -> dict[str, int]:
    """Units per line. An effect may name a line twice, once for units that were put back and once for others."""
    units: dict[str, int] = {}
    for each in moved:
        units[each.line_id] = units.get(each.line_id, 0) + each.quantity
    return units


def _put_back(echo: Effect, ours: Effect) -> tuple[Moved, ...]:
    """What went into stock with the echo, and not with our own effect."""
    known = {m.line_id for m in ours.moved if m.restocked}
    return tuple(m for m in echo.moved if m.restocked and m.line_id not in known)


def _with(original: Effect, echo: Effect) -> Effect:
    both = (*original.moved, *echo.moved)
    restocked, unsent = {m.line_id for m in both if m.restocked}, {m.line_id for m in both if m.unsent}
    units = by_line(original.moved).items()
    moved = tuple(sorted(Moved(line, count, line in restocked, line in unsent) for line, count in units))
    return replace(original, moved=moved, total_minor=max(original.total_minor, echo.total_minor))
