"""What the facts of a run say by themselves, read without the code that decides."""

from schemas.commands import CommandResult
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnedUnit, ReturnEvent
from tests.unit.domain.world import AnyFact

Facts = tuple[AnyFact, ...]
GONE = ("missing", "not_returned")


def order_in(facts: Facts) -> OrderSnapshot | None:
    found = [f for f in facts if isinstance(f, OrderSnapshot)]
    return max(found, key=lambda f: (f.version_ms, f.fact_id), default=None)


def as_sold(order: OrderSnapshot, unit: ReturnedUnit) -> bool:
    """Whether the line that it names was sold as this SKU, this variant, or as part of a bundle of this SKU."""
    sold = [each for each in order.lines if each.line_id == unit.line_id]
    return not unit.sku or any(
        unit.sku in (each.sku or unit.sku, each.bundle_sku) or unit.variant_id == (each.variant_id or "")
        for each in sold
    )


def was_said(facts: Facts, kind: str, rma_id: str) -> bool:
    return any(isinstance(f, ReturnEvent) and f.kind == kind and f.rma_id == rma_id for f in facts)


def units_in(facts: Facts) -> list[tuple[ReturnEvent, ReturnedUnit]]:
    return [(f, u) for f in facts if isinstance(f, ReturnEvent) for u in f.units if u.unit_id]


def unit_in(facts: Facts, rma_id: str, unit_id: str) -> ReturnedUnit:
    found = [(f.occurred_at_ms, f.fact_id, u) for f, u in units_in(facts) if (f.rma_id, u.unit_id) == (rma_id, unit_id)]
    assert found, f"a command for unit {unit_id} of RMA {rma_id}, which no fact names"
    return max(found, key=lambda each: each[:2])[2]


def grades_of(facts: Facts, unit_id: str, unit: ReturnedUnit) -> set[str]:
    """Dispositions that anyone gave it, by name or by counting pieces of its line."""
    return {
        u.disposition
        for f in facts if isinstance(f, ReturnEvent) and f.kind == "inspected"
        for u in f.units
        if u.disposition
        and (u.unit_id == unit_id or (not u.unit_id and (u.line_id or unit.line_id) == unit.line_id))
    }  # fmt: skip


def put_back_by_others(facts: Facts, unit: ReturnedUnit) -> bool:
    return any(
        m.line_id == unit.line_id and (m.restocked or f.kind == "restock")
        for f in facts if isinstance(f, ObservedEffect)
        for m in f.lines
    )  # fmt: skip


def applied(facts: Facts, command_id: str) -> bool:
    results = [f for f in facts if isinstance(f, CommandResult) and f.command_id == command_id]
    return any(f.outcome != "rejected" for f in results)


def shown(facts: Facts, command_id: str) -> bool:
    return any(isinstance(f, ObservedEffect) and f.command_id == command_id for f in facts)


def paid_by_others(facts: Facts, payment_id: str | None = None) -> int:
    newest = {f.external_id: f for f in facts if isinstance(f, ObservedEffect) and f.command_id is None}
    return sum(
        t.amount_minor
        for f in newest.values() if f.kind != "restock"
        for t in f.tenders if t.status != "failed" and payment_id in (None, t.payment_id)
    )  # fmt: skip
