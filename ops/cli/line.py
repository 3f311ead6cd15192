"""`returnflow line why`: where a return is, why, and what would move it on."""

import itertools
import sys
from collections.abc import Iterator

import click
from rich.console import Console

from ops import inbox
from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, heading, print_json, table
from ops.kafka import Wanted, read
from ops.when import at
from ops.why import ReturnNow, partition_of, returns, unknown
from schemas.codec import Codec, Undecodable
from schemas.exceptions import Evidence
from schemas.journal import CaseStep
from schemas.kafka import Brokers
from schemas.money import Money, MoneyError
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.topics import CASE_JOURNAL, CATALOGUE, EXCEPTIONS

PARTITIONS = CATALOGUE[CASE_JOURNAL].partitions


@click.group()
def line() -> None:
    """Where a return is, why, and what would move it on."""


@line.command()
@click.argument("rma", required=False)
@click.option("--order", help="All returns of this order (numeric id).")
@click.option("--merchant", help="Only of this merchant; with --order this finds the answer at once.")
@with_settings("kafka", "registry")
@as_json
def why(settings: ProcessSettings, rma: str | None, order: str | None, merchant: str | None, as_json: bool) -> None:
    """Each line of RMA: its stage, what happened to it, what it waits for and who can help.

    Exit status 1 when nothing is known of it.
    JSON: a list of {merchant, order_id, rma_id, lines: [{line_id, sku, unit_ids, stage, waiting_for}], steps: [case
    step], exceptions: [exception]}; waiting_for is {guard, owner, since_ms, unblocked_by, evidence} or null.
    """
    if not rma and not order:
        raise click.UsageError("name an RMA, or an order with --order")
    with plain_faults(settings):
        found = _find(settings, rma, order, merchant)
    if not found:
        click.echo(_not_found(rma, order, merchant), err=True)
        sys.exit(1)
    if as_json:
        print_json(found)
        return
    for each in found:
        _print(each, console())


def _find(settings: ProcessSettings, rma: str | None, order: str | None, merchant: str | None) -> list[ReturnNow]:
    codec = codec_from(settings.registry_url)
    steps = list(_steps(settings.kafka, codec, rma, order, merchant))
    ids = {step.order_id for step in steps} | {each for each in (rma, order) if each}
    found = inbox.load(settings.kafka, codec, _mentions(*ids))
    raised = [item.raised for item in found.items if item.state == "open"]
    return returns(steps, raised) or unknown(raised, rma=rma, order_id=order, merchant=merchant)


def _steps(
    bootstrap: Brokers, codec: Codec, rma: str | None, order: str | None, merchant: str | None
) -> Iterator[CaseStep]:
    partitions = [partition_of(merchant, order, PARTITIONS)] if order and merchant else None
    wanted = _mentions(rma or order or "")
    for seen in read(bootstrap, CASE_JOURNAL, partitions=partitions, wanted=wanted):
        try:
            step = codec.decode_as(CaseStep, seen.value)
        except Undecodable as problem:
            click.echo(f"{CASE_JOURNAL}/{seen.partition}/{seen.offset} is passed over: {problem}", err=True)
            continue
        asked = (rma or step.rma_id, order or step.order_id, merchant or step.merchant)
        if asked == (step.rma_id, step.order_id, step.merchant):
            yield step


def _mentions(*texts: str) -> Wanted:
    """Avro keeps text as it is, so a record that names an id has its bytes somewhere: most need no decoding."""
    parts = [text.encode() for text in texts]
    return lambda value: value is not None and any(part in value for part in parts)


def _not_found(rma: str | None, order: str | None, merchant: str | None) -> str:
    asked = ", ".join(
        f"{name} {value}" for name, value in (("RMA", rma), ("order", order), ("merchant", merchant)) if value
    )
    where = "its partition" if order and merchant else f"all {PARTITIONS} partitions"
    return (
        f"Nothing is known of {asked}: the whole topic {CASE_JOURNAL} was searched ({where}), and {EXCEPTIONS}. It may "
        "not have arrived yet (`returnflow lag`), be set aside (`returnflow dlq list`), or have another number."
    )


def _print(found: ReturnNow, out: Console) -> None:
    out.print(heading(f"\nRMA {found.rma_id or '(none)'}, order {found.order_id or '(none)'}, {found.merchant}"))
    rows = [
        (each.sku, each.line_id, len(each.unit_ids), each.stage, each.waiting_for.guard if each.waiting_for else "")
        for each in found.lines
    ]
    out.print(table(("sku", "line", "units", "stage", "waits for"), rows, wrap="waits for"))
    _print_waiting(found, out)
    for day, steps in itertools.groupby(found.steps, key=lambda step: at(step.at_ms)[:10]):
        out.print(heading(f"\n{day} (UTC)"))
        happened = [(at(step.at_ms)[11:19], step.step, step.what, _detail(step)) for step in steps]
        out.print(table(("time", "step", "what", "detail"), happened, wrap="detail"))
    if found.exceptions:
        out.print(heading("\nOpen exceptions"))
        open_ones = [(e.type, e.owner, e.severity, f"{e.detail} Next: {e.next_step}") for e in found.exceptions]
        out.print(table(("type", "owner", "severity", "what is wrong"), open_ones, wrap="what is wrong"))


def _print_waiting(found: ReturnNow, out: Console) -> None:
    for each in found.lines:
        if each.waiting_for is not None:
            wait = each.waiting_for
            shown = f" (shown by {_place(wait.evidence)})" if wait.evidence else ""
            out.print(
                f"{each.sku or each.line_id} waits for {wait.guard} since {at(wait.since_ms)}: {wait.owner} can help: "
                f"{wait.unblocked_by}{shown}",
                markup=False,
            )


def _place(evidence: Evidence) -> str:
    return f"{evidence.topic}/{evidence.partition}/{evidence.offset}"


def _detail(step: CaseStep) -> str:
    """What happened in words, then what it concerns, a line each: ids stay whole and can be copied."""
    said = ", ".join(part for part in (step.detail, _amount(step), f"by {step.actor}" if step.actor else "") if part)
    ids = (("unit", ", ".join(step.unit_ids)), ("command", step.command_id), ("id", step.external_id))
    return "\n".join([said, *(f"{name} {value}" for name, value in ids if value)])


def _amount(step: CaseStep) -> str:
    if step.amount_minor is None or step.currency is None:
        return ""
    try:
        return str(Money(minor=step.amount_minor, currency=step.currency))
    except MoneyError:
        return f"{step.amount_minor} minor units of {step.currency}"
