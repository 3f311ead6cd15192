"""Where a return is and why, from its journal and its open exceptions. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.exceptions import ExceptionRaised
from schemas.ids import order_key
from schemas.journal import CaseStep, WaitingFor


class LineNow(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that stand at the same point."""

    line_id: str | None
    sku: str | None
    unit_ids: tuple[str, ...]
    stage: str | None
    waiting_for: WaitingFor | None


class ReturnNow(msgspec.Struct, frozen=True, kw_only=True):
    """One RMA: its lines as they stand, everything that happened in order of time, what a person must look at."""

    merchant: str
    order_id: str
    rma_id: str
    lines: tuple[LineNow, ...]
    steps: tuple[CaseStep, ...]
    exceptions: tuple[ExceptionRaised, ...]


class _Unit(msgspec.Struct):
    line_id: str | None = None
    sku: str | None = None
    stage: str | None = None
    waiting_for: WaitingFor | None = None


def partition_of(merchant: str, order_id: str, partitions: int) -> int:
    """Partition of everything about an order: Kafka's usual one for a key."""
    from aiokafka.partitioner import murmur2  # a tenth of a second that only this question needs

    return int(murmur2(order_key(merchant, order_id)) & 0x7FFFFFFF) % partitions


def returns(steps: Iterable[CaseStep], exceptions: Sequence[ExceptionRaised]) -> list[ReturnNow]:
    """Journal steps in the order of the journal, grouped by RMA. A step written twice counts once."""
    by_rma: dict[tuple[str, str, str], dict[str, CaseStep]] = {}
    for step in steps:
        by_rma.setdefault((step.merchant, step.order_id, step.rma_id), {}).setdefault(step.step_id, step)
    return [_return(*key, tuple(found.values()), exceptions) for key, found in by_rma.items()]


def unknown(
    exceptions: Sequence[ExceptionRaised], *, rma: str | None, order_id: str | None, merchant: str | None
) -> list[ReturnNow]:
    """A return without any journal, known only from what went wrong with it."""
    concerned = [
        each
        for each in exceptions
        if (merchant or each.merchant) == each.merchant
        and (rma or each.rma_id) == each.rma_id
        and (order_id or each.order_id) == each.order_id
    ]
    places = dict.fromkeys((each.merchant, each.order_id, each.rma_id) for each in concerned)
    return [_return(*place, (), concerned) for place in places]


def _return(
    merchant: str, order_id: str, rma_id: str, steps: tuple[CaseStep, ...], exceptions: Sequence[ExceptionRaised]
) -> ReturnNow:
    concerned = [
        each
        for each in exceptions
        if each.merchant == merchant and (each.rma_id == rma_id or (not each.rma_id and each.order_id == order_id))
    ]
    return ReturnNow(
        merchant=merchant,
        order_id=order_id,
        rma_id=rma_id,
        lines=tuple(_lines(steps)),
        steps=tuple(sorted(steps, key=lambda step: step.at_ms)),
        exceptions=tuple(concerned),
    )


def _lines(steps: Iterable[CaseStep]) -> list[LineNow]:
    units: dict[str, _Unit] = {}
    for step in steps:
        for unit_id in step.unit_ids:
            _learn(units.setdefault(unit_id, _Unit()), step)
    # a command's own grouping of units (a pool to restock) may stand where unit ids do: it has no stage of its own
    known = {unit_id: unit for unit_id, unit in units.items() if unit.stage or unit.waiting_for}
    together: dict[tuple[object, ...], list[str]] = {}
    for unit_id, unit in (known or units).items():
        together.setdefault((unit.line_id, unit.sku, unit.stage, unit.waiting_for), []).append(unit_id)
    return [_line(units[unit_ids[0]], unit_ids) for unit_ids in together.values()]


def _learn(unit: _Unit, step: CaseStep) -> None:
    """The newest step that says something about a unit holds; a reason to wait holds until the next one or the end."""
    unit.line_id = step.line_id or unit.line_id
    unit.sku = step.sku or unit.sku
    unit.stage = step.stage or unit.stage
    if step.step in ("waiting", "closed"):
        unit.waiting_for = step.waiting_for


def _line(unit: _Unit, unit_ids: list[str]) -> LineNow:
    return LineNow(
        line_id=unit.line_id,
        sku=unit.sku,
        unit_ids=tuple(sorted(unit_ids)),
        stage=unit.stage,
        waiting_for=unit.waiting_for,
    )
