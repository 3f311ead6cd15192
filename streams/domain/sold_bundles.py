"""Which sold bundle a returned one is, where an order has the same bundle in several groups at several prices, or also
as a line by itself.

A group is what was sold, its SKU is not. Where the return names neither the group nor a line of it, each unit is one of
a group that still has one to give back: first what was decided, then what ReturnGO's price says, then what others paid
for since, then the order's own sequence. No unit is of two groups.
"""

from bisect import bisect_left

import msgspec

from schemas.sku import meant
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Money
from streams.domain.learnt import Effect, Learnt, Line, Order, Rma, Unit
from streams.domain.order_lines import by_itself
from streams.domain.own import Own
from streams.domain.seat import stopped

Key = tuple[str, str]  # RMA and unit


class Group(msgspec.Struct):
    """A bundle as it was sold. `free`: how many of it may still come back; `refunded`: when others paid for one."""

    group_id: str
    sku: str
    lines: list[Line]
    free: int = 0
    refunded: list[int] = []

    @property
    def quantity(self) -> int:
        return self.lines[0].bundle_quantity or max(self.lines[0].quantity, 1)

    def of_line(self, line: Line, units: int) -> int:
        """Bundles that so many units of one line are at least a part of."""
        return -(-units * self.quantity // max(line.quantity, 1))

    def worth(self, bundles: int) -> int:
        return sum(line.net_minor for line in self.lines) * bundles // self.quantity


class Paid(msgspec.Struct):
    """Bundles of a group that one payment paid for, less those that are found."""

    group_id: str
    left: int


def chosen(learnt: Learnt, own: Own) -> dict[Key, str]:
    """The group of each returned bundle whose SKU was sold in several; nothing of any other unit."""
    order = learnt.order
    groups = {} if order is None else _several(order)
    if not groups or order is None:
        return {}
    by_line = {line.line_id: group for each in groups.values() for group in each.values() for line in group.lines}
    named = _Named(order)
    _reduce(by_line, learnt, own, named)
    units = [
        (rma, unit) for rma in learnt.rmas.values() for unit in rma.units.values()
        if meant(unit.said.sku) in groups and named.line_id(unit) is None
    ]  # fmt: skip
    found = _certain(units, groups, by_line, own)
    rest = [each for each in units if (each[0].rma_id, each[1].unit_id) not in found]
    shelves = {sku: _Shelf(list(mine.values())) for sku, mine in groups.items()}
    for rma, unit in sorted(rest, key=lambda each: (bool(stopped(each[0])), each[0].rma_id, each[1].unit_id)):
        found[rma.rma_id, unit.unit_id] = shelves[meant(unit.said.sku)].take(rma, unit).group_id
    return found


def _several(order: Order) -> dict[str, dict[str, Group]]:
    """Groups by SKU and id, of SKUs that have more than one."""
    groups: dict[str, dict[str, Group]] = {}
    for line in order.lines:
        if line.bundle_sku and line.group and line.bundle_quantity > 0:
            mine = groups.setdefault(meant(line.bundle_sku), {})
            mine.setdefault(line.group, Group(line.group, meant(line.bundle_sku), [], 0, [])).lines.append(line)
    for line in order.lines:
        if not line.bundle_sku and meant(line.sku) in groups:
            groups[meant(line.sku)][by_itself(line)] = Group(by_itself(line), meant(line.sku), [line], 0, [])
    return {sku: mine for sku, mine in groups.items() if len(mine) > 1}


class _Named:
    """The lines that units name themselves: by id, or by a variant that one line alone has."""

    def __init__(self, order: Order) -> None:
        self._ids = {line.line_id for line in order.lines}
        self._by_variant: dict[str | None, list[str]] = {}
        for line in order.lines:
            self._by_variant.setdefault(line.variant_id, []).append(line.line_id)

    def line_id(self, unit: Unit) -> str | None:
        said = unit.said
        if said.line_id in self._ids:
            return said.line_id
        lines = [] if said.line_id or said.variant_id is None else self._by_variant.get(said.variant_id, [])
        return lines[0] if len(lines) == 1 else None


def _reduce(by_line: dict[str, Group], learnt: Learnt, own: Own, named: _Named) -> None:
    """Sets what is free of each group: what left the shop, less what comes back or was paid for in parts of it."""
    parts: dict[str, int] = {}
    for unit in (unit for rma in learnt.rmas.values() if not stopped(rma) for unit in rma.units.values()):
        if (line_id := named.line_id(unit)) in by_line and line_id is not None:
            parts[line_id] = parts.get(line_id, 0) + unit.said.quantity
    for group in {group.group_id: group for group in by_line.values()}.values():
        left = [line.sold if line.sent is None else min(line.sold, line.sent) for line in group.lines]
        whole = [n * group.quantity // max(line.quantity, 1) for line, n in zip(group.lines, left, strict=True)]
        broken = [group.of_line(line, parts.get(line.line_id, 0)) for line in group.lines]
        group.free = min(whole) - max(broken)
    for effect in own.foreign:
        _refunded(effect, by_line)


def _refunded(effect: Effect, by_line: dict[str, Group]) -> None:
    """Bundles that others paid for; what was taken off before it was sent is no longer counted as sent."""
    most: dict[str, tuple[Group, int]] = {}
    for moved in effect.moved if effect.kind in PAID_KINDS else ():
        group = by_line.get(moved.line_id)
        if group is not None and not moved.unsent:
            line = next(line for line in group.lines if line.line_id == moved.line_id)
            count = group.of_line(line, moved.quantity)
            if count > most.get(group.group_id, (group, 0))[1]:
                most[group.group_id] = group, count
    for group, count in most.values():
        group.refunded += [effect.stamp.at_ms] * count  # effects come by time


def _certain(
    units: list[tuple[Rma, Unit]], groups: dict[str, dict[str, Group]], by_line: dict[str, Group], own: Own
) -> dict[Key, str]:
    """Units whose group was decided already, or is named."""
    pools = {(d.rma_id, unit_id): pool for d in own.payments for pool in (_paid(d, by_line),) for unit_id in d.unit_ids}
    found: dict[Key, str] = {}
    for rma, unit in units:
        key, size, mine = (rma.rma_id, unit.unit_id), unit.said.quantity, groups[meant(unit.said.sku)]
        paid = _from(pools.get(key, {}).get(meant(unit.said.sku), []), size)
        group = mine.get(paid or unit.said.line_id or "")
        if group is not None:
            group.free -= size
            found[key] = group.group_id
    return found


def _paid(decision: Money, by_line: dict[str, Group]) -> dict[str, list[Paid]]:
    """Whole bundles that a payment of ours paid for, by SKU and group."""
    shares = {share.line_id: share.quantity for share in decision.shares}
    pool: dict[str, list[Paid]] = {}
    for group in {by_line[each].group_id: by_line[each] for each in shares if each in by_line}.values():
        whole = min(shares.get(line.line_id, 0) * group.quantity // max(line.quantity, 1) for line in group.lines)
        pool.setdefault(group.sku, []).append(Paid(group.group_id, whole))
    return pool


def _from(pool: list[Paid], size: int) -> str | None:
    """The group of a unit that was paid for with these."""
    while pool and pool[-1].left <= 0:
        pool.pop()
    paid = next((each for each in reversed(pool) if each.left >= size), None)
    if paid is None:
        return None
    paid.left -= size
    return paid.group_id


class _Shelf:
    """The groups of one SKU, of which units take one after the other."""

    def __init__(self, groups: list[Group]) -> None:
        self._groups = groups
        self._plain = not any(group.refunded for group in groups)
        by_worth: dict[int, list[Group]] = {}
        for group in reversed(groups):
            by_worth.setdefault(group.worth(1), []).append(group)
        self._by_worth = by_worth  # the next one last
        self._worths = sorted(by_worth)
        self._rest = groups[::-1]

    def take(self, rma: Rma, unit: Unit) -> Group:
        """Of the groups that have so many left the nearest in price; the first of all where none has."""
        size, paid = unit.said.quantity, unit.said.paid_minor
        if size != 1 or not self._plain:
            group = self._ranked(rma, size, paid)
        else:
            group = _next(self._rest) if paid is None else self._nearest(paid)
        found = group or self._groups[0]
        found.free -= size
        return found

    def _nearest(self, paid: int) -> Group | None:
        while self._worths:
            at = bisect_left(self._worths, paid)
            near = min(self._worths[max(at - 1, 0) : at + 1], key=lambda worth: abs(worth - paid))
            group = _next(self._by_worth[near])
            if group is not None:
                return group
            del self._worths[bisect_left(self._worths, near)]
        return None

    def _ranked(self, rma: Rma, size: int, paid: int | None) -> Group | None:
        """The same for several at once, or where others have paid for some: what they paid for since comes first, what
        they paid for before is no more."""
        asked = rma.marks.get("requested")
        since = 0 if asked is None else asked.at_ms
        ranked: list[tuple[int, bool, int, Group]] = []
        for place, group in enumerate(self._groups):
            before = bisect_left(group.refunded, since)
            if group.free - before >= size:
                off = 0 if paid is None else abs(paid - group.worth(size))
                ranked.append((off, len(group.refunded) == before, place, group))
        return min(ranked, key=lambda each: each[:3])[-1] if ranked else None


def _next(groups: list[Group]) -> Group | None:
    while groups and groups[-1].free <= 0:
        groups.pop()
    return groups[-1] if groups else None
