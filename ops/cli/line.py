"""`returnflow line why`: where a return is, why, and what would move it on."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ops.cli import history
from ops.cli.completion import merchants
from ops.cli.faults import plain_faults
from ops.cli.settings import codec_of, with_settings
from ops.cli.show import as_json, more, on_terminal, print_json, table
from schemas.topics import CASE_JOURNAL, CATALOGUE, EXCEPTIONS

if TYPE_CHECKING:
    from ops.kafka import Wanted
    from ops.why import ReturnNow
    from schemas.codec import Codec
    from schemas.journal import CaseStep
    from schemas.kafka import Brokers
    from schemas.settings import ProcessSettings

PARTITIONS = CATALOGUE[CASE_JOURNAL].partitions


@click.group(epilog=more("line why RMA", "line why --order 7300000000003 --merchant demo-shop"))
def line() -> None:
    """Where a return is, why, and what would move it on."""


_WHY = more(
    "line why RMA", "line why --order 7300000000003 --merchant demo-shop", "line why RMA | grep exception",
    columns=history.COLUMNS,
)  # fmt: skip


@line.command(epilog=_WHY)
@click.argument("rma", required=False)
@click.option("--order", help="All returns of this order (numeric id).")
@click.option(
    "--merchant", shell_complete=merchants, help="Only of this merchant; with --order this finds the answer at once."
)
@with_settings("kafka", "registry")
@as_json
def why(settings: "ProcessSettings", rma: str | None, order: str | None, merchant: str | None, as_json: bool) -> None:
    """Each line of RMA: its stage, what happened to it, what it waits for and who can help.

    Exit status 1 when nothing is known of it.
    JSON: a list of {merchant, order_id, rma_id, lines: [{line_id, sku, unit_ids, stage, waiting_for}], steps: [case
    step], exceptions: [exception]}; waiting_for is {guard, owner, since_ms, unblocked_by, evidence} or null.
    """
    if not rma and not order:
        raise click.UsageError("expected an RMA, or an order with --order, got neither")
    with plain_faults(settings):
        found = _find(settings, rma, order, merchant)
    if not found:
        click.echo(_not_found(rma, order, merchant), err=True)
        sys.exit(1)
    if as_json:
        print_json(found)
        return
    if not on_terminal():
        table(history.COLUMNS, [row for each in found for row in history.rows(each)])
        return
    for each in found:
        history.tell(each)


def _find(settings: "ProcessSettings", rma: str | None, order: str | None, merchant: str | None) -> "list[ReturnNow]":
    from ops import inbox
    from ops.why import returns, unknown

    codec = codec_of(settings)
    steps = list(_steps(settings.kafka, codec, rma, order, merchant))
    ids = {step.order_id for step in steps} | {each for each in (rma, order) if each}
    found = inbox.load(settings.kafka, codec, _mentions(*ids))
    raised = [item.raised for item in found.items if item.state == "open"]
    return returns(steps, raised) or unknown(raised, rma=rma, order_id=order, merchant=merchant)


def _steps(
    bootstrap: "Brokers", codec: "Codec", rma: str | None, order: str | None, merchant: str | None
) -> "Iterator[CaseStep]":
    from ops.kafka import read
    from ops.why import partition_of
    from schemas.codec import Undecodable
    from schemas.journal import CaseStep

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


def _mentions(*texts: str) -> "Wanted":
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
