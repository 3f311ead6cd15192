"""What keeps a unit's goods or money, asked in the order of the walk, from the facts alone. True: so it is, False: not
so, None: the facts do not tell plainly."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.unit.domain.told_units import Unit


class Wrong(NamedTuple):
    """A type, and the return and line that it is about; "" where it is about none."""

    type: str
    rma_id: str = ""
    about: str = ""


class Causes:
    """`must`: these are open for certain. `may`: nothing else is. `some`: of each of these sets, at least one is."""

    def __init__(self) -> None:
        self.must: set[Wrong] = set()
        self.may: set[Wrong] = set()
        self.some: list[set[Wrong]] = []

    def add(self, wrong: Wrong, holds: bool | None) -> None:
        """None: the facts do not tell plainly."""
        if holds is not False:
            self.may.add(wrong)
        if holds:
            self.must.add(wrong)


def stock_walk(unit: Unit) -> Iterable[tuple[bool | None, str]]:
    """What must be so before its goods may go into stock, and what is raised while it is not, in this order."""
    order, place = unit.told.order, unit.place
    yield order is not None, ""
    yield from _line_walk(unit)
    yield same_sku(unit), "contradicting_fact"
    yield bought(unit), "over_quantity"
    yield from _goods_walk(unit)
    yield order is None or not order.archived or unit.model.stock != "patchworks", ""
    if unit.counted:
        for raises in ("unmapped_reason", "unmapped_location", "inactive_location"):
            yield None, raises
        return
    yield not unit.told.rules.reasons or unit.reason is not None, "unmapped_reason"
    yield place is not None, "unmapped_location"
    yield place is not None and place.active, "inactive_location"
    apart = unit.model.stock in ("shopify", "patchworks") or (place is not None and place.zone == "quarantine")
    yield unit.status == "available" or apart, "unmapped_location"


def money_walk(unit: Unit) -> Iterable[tuple[bool | None, str]]:
    """What must be so before it may be paid, up to what concerns its payment as a whole."""
    told, model = unit.told, unit.model
    approved = bool(told.times(unit.rma_id, "approved"))
    yield told.order is not None, ""
    yield from _line_walk(unit)
    yield as_sold(unit), "contradicting_fact"
    yield bought(unit), "over_quantity"
    yield unit.said.resolution != "unknown", "unknown_resolution"
    yield bool(told.times(unit.rma_id, "requested")), "unpaid"
    yield approved, "unapproved"
    yield in_policy(unit), "outside_policy_window"
    yield from _goods_walk(unit)
    yield restocked(unit), "restocked"
    steps = [e.transaction for e in told.events if e.rma_id == unit.rma_id and e.transaction is not None]
    asks = any(s.kind == "refund" and (not s.unit_ids or unit.unit_id in s.unit_ids) for s in steps)
    yield asks or not model.refunding.needs_transaction or unit.means != "refund", "unpaid"
    released = unit.means == "exchange" and model.exchanges.made == "order"
    yield released or model.refunding.actor == "returnflow", "unpaid"
    mine = [e for e in told.events if e.rma_id == unit.rma_id]
    made = [e for e in mine if (e.exchange_order_id if model.exchanges.made == "order" else e.exchange_draft_order_id)]
    yield unit.means != "exchange" or bool(made), "no exchange"


def _line_walk(unit: Unit) -> Iterable[tuple[bool, str]]:
    yield unit.line is not None or (unit.told.order is not None and not unit.told.order.complete), "unknown_line"
    yield unit.line is not None, "unread"


def _goods_walk(unit: Unit) -> Iterable[tuple[bool | None, str]]:
    here = not unit.said.ships or unit.seen("received") is not None or not unit.model.inspecting.needs_receipt
    looked_at = not unit.said.ships or unit.grade is not None or (None if unit.counted else False)
    elsewhere = None if unit.stock is None else False  # others may have put it back without a word of ours
    yield here or elsewhere, "received"
    yield looked_at or elsewhere, ""
    yield None if unit.counted else not unit.gone, "item_missing"


def same_sku(unit: Unit) -> bool:
    """What is returned has the SKU of its order line, as far as both name one."""
    said, line = unit.said.sku, unit.line
    return not said or line is None or not line.sku or said in (line.sku, line.bundle_sku)


def as_sold(unit: Unit) -> bool | None:
    """What comes back is what was sold: by its SKU, by its variant, or because others put it back on that line."""
    variant = unit.said.variant_id
    if not unit.said.ships or same_sku(unit) or (variant and unit.line is not None and variant == unit.line.variant_id):
        return True
    return None if unit.stock is None else False


def bought(unit: Unit) -> bool | None:
    """No more units of its line are asked back than were bought; those of a stopped return count once they moved."""
    if unit.line is None:
        return True
    if unit.said.quantity < 1:
        return False
    if any(m.line_id == unit.line.line_id for e in unit.told.foreign for m in e.lines):
        return None
    asked = 0
    for other in unit.told.units:
        if other.line is unit.line:
            if other.stopped and (other.stock is None or other.money is None):
                return None
            moved = {other.stock, other.money} & {"open", "applied"}
            asked += other.said.quantity if moved or not other.stopped else 0
    return asked <= unit.line.quantity


def in_policy(unit: Unit) -> bool:
    days, asked = unit.told.model.inspecting.policy_days, unit.told.times(unit.rma_id, "requested")
    if days is None or unit.told.order is None or not asked:
        return True
    return asked[0][0] - unit.told.order.created_at_ms <= days * 86_400_000


def restocked(unit: Unit) -> bool | None:
    """Its goods are in stock again, or go into none."""
    if unit.model.refunding.after == "inspected":
        return True
    if unit.stock is None or unit.stock in ("applied", "elsewhere"):
        return None if unit.stock is None else True
    if unit.said.ships and unit.model.restocking.actor != "returnflow":
        return False
    return not unit.wants_stock or (unit.verdict is not None and unit.verdict.reason == "untracked_item")


def first_unmet(walk: Iterable[tuple[bool | None, str]]) -> list[str]:
    """The first that is not met; all that it may be, where the facts do not tell. None of them: []."""
    found = []
    for met, raises in walk:
        if met is None:
            found.append(raises)
        elif not met:
            return [*found, raises]
    return [*found, "?"] if found else []


def surely(track: list[str]) -> bool:
    """Whether the facts tell plainly what it waits for."""
    return len(track) == 1 and track != ["?"]


def waits(unit: Unit) -> tuple[list[str], list[str]]:
    """What its goods and its money wait for: [] for nothing, several where the facts do not tell."""
    over = unit.gone and bool(unit.told.times(unit.rma_id, "resolved"))
    if unit.stopped or (over and unit.stock not in (None, "open") and unit.money not in (None, "open")):
        return [], []
    stock = money = []
    if unit.wants_stock and unit.stock in (None, "undecided"):
        stock = first_unmet(stock_walk(unit)) + ["?"] * (unit.stock is None or over)
    if unit.wants_money and unit.money in (None, "undecided"):
        money = first_unmet(money_walk(unit)) + ["?"] * (unit.money is None or over)
    return stock, money
