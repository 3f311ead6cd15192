"""One event that several systems tell: shop, till and warehouse speak of the same goods, which count once (INV-12).

A refund or store return is the echo of an earlier one when another system tells it, of the same lines and quantities
and the same amount, and both together would be more than was bought. Whatever could have happened twice counts twice:
the worst that follows is that a person looks, and never that something is paid or counted a second time.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from streams.domain.learnt import Effect, Moved, Order

_RETURNS = ("refund", "store_return")


def told_once(foreign: Sequence[Effect], ours: Iterable[Effect], order: Order | None) -> tuple[Effect, ...]:
    """The foreign effects without echoes. What an echo adds, that goods went into stock, is added to its original; of
    an echo of our own refund it is all that is left."""
    if order is None or len({e.system for e in (*foreign, *ours)} - {""}) < 2:
        return tuple(foreign)
    bought = {line.line_id: line.quantity for line in order.lines}
    own, kept = list(ours), list[Effect]()
    for effect in foreign:
        mine = next((other for other in own if _repeats(effect, other, bought)), None)
        if mine is not None:
            if put := _put_back(effect, mine):
                kept.append(replace(effect, kind="restock", total_minor=0, tenders=(), shop=(), moved=put))
            continue
        original = next((i for i, other in enumerate(kept) if _repeats(effect, other, bought)), None)
        if original is None:
            kept.append(effect)
        else:
            kept[original] = _with(kept[original], effect)
    return tuple(kept)


def _repeats(effect: Effect, other: Effect, bought: dict[str, int]) -> bool:
    if effect.kind not in _RETURNS or other.kind not in _RETURNS or "" in (effect.system, other.system):
        return False
    units = by_line(effect.moved)
    if effect.system == other.system or not units or units != by_line(other.moved):
        return False
    if effect.total_minor and other.total_minor and effect.total_minor != other.total_minor:
        return False
    return any(2 * count > bought.get(line_id, 0) for line_id, count in units.items())


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
