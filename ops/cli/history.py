"""A return's state and history as people read it, and as one table for programs."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ops.cli.layout import Column
from ops.cli.show import heading, table
from ops.when import at

if TYPE_CHECKING:
    from ops.why import LineNow, ReturnNow
    from schemas.exceptions import Evidence, ExceptionRaised
    from schemas.journal import CaseStep

# One row for each line as it stands (`line`), each step of its history (`step`), each open exception (`exception`).
COLUMNS = (
    Column("merchant"), Column("order"), Column("RMA"), Column("row"), Column("time"), Column("line"), Column("SKU"),
    Column("units"), Column("state"), Column("what"), Column("owner"), Column("detail", long=True),
)  # fmt: skip
_LINES = (Column("SKU"), Column("line"), Column("units"), Column("stage"), Column("waits for", long=True))
_STEPS = (Column("time"), Column("step"), Column("what"), Column("detail", long=True))
_EXCEPTIONS = (
    Column("id", short=lambda text: text[:8]),
    Column("type"),
    Column("owner"),
    Column("what is wrong", long=True),
)


def rows(found: "ReturnNow") -> Iterator[tuple[object, ...]]:
    """As COLUMNS says."""
    place = (found.merchant, found.order_id, found.rma_id)
    for each in found.lines:
        wait = each.waiting_for
        since = at(wait.since_ms) if wait else ""
        owner, why, guard = (wait.owner, wait.unblocked_by, wait.guard) if wait else ("", "", "")
        yield (*place, "line", since, each.line_id, each.sku, ",".join(each.unit_ids), each.stage, guard, owner, why)
    for step in found.steps:
        units = ",".join(step.unit_ids)
        said = "; ".join(_detail(step).split("\n"))
        yield (*place, "step", at(step.at_ms), step.line_id, step.sku, units, step.step, step.what, step.actor, said)
    for e in found.exceptions:
        units, what = ",".join(e.unit_ids), f"{e.detail} Next: {e.next_step}"
        yield (*place, "exception", at(e.since_ms), e.line_id, e.sku, units, e.severity, e.type, e.owner, what)


def tell(found: "ReturnNow") -> None:
    """On a terminal: where it stands, what it waits for, day by day what happened, what a person must look at."""
    heading(f"RMA {found.rma_id or '(none)'}, order {found.order_id or '(none)'}, merchant {found.merchant}")
    if found.lines:
        table(_LINES, [_line(each) for each in found.lines])
    else:
        click.echo("Nothing is known of its lines yet.")
    for day, steps in itertools.groupby(found.steps, key=lambda step: at(step.at_ms)[:10]):
        heading(f"{day} (UTC)")
        table(_STEPS, [(at(step.at_ms)[11:19], step.step, step.what, _detail(step)) for step in steps])
    if found.exceptions:
        heading("Open exceptions")
        table(_EXCEPTIONS, [_exception(each) for each in found.exceptions])


def _line(each: "LineNow") -> tuple[object, ...]:
    wait = each.waiting_for
    if wait is None:
        return (each.sku, each.line_id, len(each.unit_ids), each.stage, "")
    shown = f" (shown by {_place(wait.evidence)})" if wait.evidence else ""
    told = f"{wait.unblocked_by}\nsince {at(wait.since_ms)}, {wait.owner} can help{shown}"
    return (each.sku, each.line_id, len(each.unit_ids), each.stage, told)


def _exception(each: "ExceptionRaised") -> tuple[object, ...]:
    return (each.exception_id, each.type, each.owner, f"{each.detail}\nNext: {each.next_step}")


def _place(evidence: "Evidence") -> str:
    return f"{evidence.topic}/{evidence.partition}/{evidence.offset}"


def _detail(step: "CaseStep") -> str:
    """What happened in words, then what it concerns, a line each: ids stay whole and can be copied."""
    said = ", ".join(part for part in (step.detail, _amount(step), f"by {step.actor}" if step.actor else "") if part)
    units = "unit" if len(step.unit_ids) == 1 else "units"
    ids = ((units, ", ".join(step.unit_ids)), ("command", step.command_id), ("id", step.external_id))
    return "\n".join([said, *(f"{name} {value}" for name, value in ids if value)])


def _amount(step: "CaseStep") -> str:
    from schemas.money import Money, MoneyError

    if step.amount_minor is None or step.currency is None:
        return ""
    try:
        return str(Money(minor=step.amount_minor, currency=step.currency))
    except MoneyError:
        return f"{step.amount_minor} minor units of {step.currency}"
