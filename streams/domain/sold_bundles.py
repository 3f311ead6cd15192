"""Which sold bundle a returned one is, where an order has the same bundle in several groups at several prices.

A group is what was sold, its SKU is not. Where the return names neither the group nor a line of it, each unit is one of
a group that still has one to give back: first what was decided, then what ReturnGO's price says, then what others paid
for since, then the order's own sequence. No unit is of two groups.
"""

from bisect import bisect_left

import msgspec

from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Money
from streams.domain.learnt import Effect, Learnt, Line, Order, Rma, Unit
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
        return self.lines[0].bundle_quantity

    def of_line(self, line: Line, units: int) -> int:
        """Bundles that so many units of one line are at least a part of."""
        return -(-units * self.quantity // max(line.quantity, 1))

    def worth(self, bundles: int) -> int:
        return sum(line.net_minor for line in self.lines) * bundles // self.quantity


def chosen(learnt: Learnt, own: Own) -> dict[Key, str]:
    """The group of each returned bundle whose SKU was sold in several; nothing of any other unit."""
    order = learnt.order
    groups = {} if order is None else _several(order)
    if not groups or order is None:
        return {}
    by_line = {line.line_id: group for each in groups.values() for group in each.values() for line in group.lines}
    known = {line.line_id for line in order.lines}
    _reduce(by_line, learnt, own)
    units = [
        (rma, unit) for rma in learnt.rmas.values() for unit in rma.units.values()
        if unit.said.sku in groups and unit.said.line_id not in known
    ]  # fmt: skip
    found = _certain(units, groups, by_line, own)
    rest = [each for each in units if (each[0].rma_id, each[1].unit_id) not in found]
    for rma, unit in sorted(rest, key=lambda each: (bool(stopped(each[0])), each[0].rma_id, each[1].unit_id)):
        group = _best(list(groups[unit.said.sku].values()), rma, unit)
        group.free -= unit.said.quantity
        found[rma.rma_id, unit.unit_id] = group.group_id
    return found


def _several(order: Order) -> dict[str, dict[str, Group]]:
    """Groups by SKU and id, of SKUs that have more than one."""
    groups: dict[str, dict[str, Group]] = {}
    for line in order.lines:
        if line.bundle_sku and line.group and line.bundle_quantity > 0:
            mine = groups.setdefault(line.bundle_sku, {})
            mine.setdefault(line.group, Group(line.group, line.bundle_sku, [], 0, [])).lines.append(line)
    return {sku: mine for sku, mine in groups.items() if len(mine) > 1}


def _reduce(by_line: dict[str, Group], learnt: Learnt, own: Own) -> None:
    """Sets what is free of each group: what left the shop, less what comes back or was paid for in parts of it."""
    parts: dict[str, int] = {}
    for unit in (unit for rma in learnt.rmas.values() if not stopped(rma) for unit in rma.units.values()):
        if unit.said.line_id in by_line:
            parts[unit.said.line_id] = parts.get(unit.said.line_id, 0) + unit.said.quantity
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
        key, size, mine = (rma.rma_id, unit.unit_id), unit.said.quantity, groups[unit.said.sku]
        pool = pools.get(key, {})
        paid = next((each for each in mine if pool.get(each, 0) >= size), None)
        if paid is not None:
            pool[paid] -= size
        group = mine.get(paid or unit.said.line_id or "")
        if group is not None:
            group.free -= size
            found[key] = group.group_id
    return found


def _paid(decision: Money, by_line: dict[str, Group]) -> dict[str, int]:
    """Whole bundles that a payment of ours paid for, by group."""
    shares = {share.line_id: share.quantity for share in decision.shares}
    groups = {by_line[each].group_id: by_line[each] for each in shares if each in by_line}
    return {
        group_id: min(shares.get(line.line_id, 0) * group.quantity // max(line.quantity, 1) for line in group.lines)
        for group_id, group in groups.items()
    }


def _best(groups: list[Group], rma: Rma, unit: Unit) -> Group:
    """Of the groups that have so many left the nearest in price; all of them where none has."""
    asked = rma.marks.get("requested")
    since = 0 if asked is None else asked.at_ms
    size, paid = unit.said.quantity, unit.said.paid_minor
    before = {group.group_id: bisect_left(group.refunded, since) for group in groups}
    free = [group for group in groups if group.free - before[group.group_id] >= size] or groups

    def rank(group: Group) -> tuple[int, bool]:
        off = 0 if paid is None else abs(paid - group.worth(size))
        return off, len(group.refunded) == before[group.group_id]

    return min(free, key=rank)
