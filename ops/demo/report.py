"""What the demo prints: the day as it passes, then each return, the exceptions, and one line of judgement."""

from rich.console import Console
from rich.table import Table

from ops import closing
from ops.demo.judge import Outcome, Verdict
from ops.demo.play import Played
from ops.demo.stage import Stage
from schemas.merchant import load_all


def returns(console: Console, verdict: Verdict, played: Played) -> None:
    """A line for each return."""
    table = Table(title="What happened to each return", title_justify="left", show_lines=False, pad_edge=False)
    for column in ("RMA", "return", "story", "stock moved", "paid", "order tags", "done after", "as expected"):
        table.add_column(column, overflow="fold")
    for outcome in verdict.outcomes:
        table.add_row(*_row(outcome, played.ready_ms.get(outcome.story.name)))
    console.print(table)


def exceptions(console: Console, verdict: Verdict) -> None:
    """What waits for a person: why, whose it is, and what to do."""
    table = Table(title="What waits for a person", title_justify="left", pad_edge=False)
    for column in ("RMA", "exception", "owner", "why", "next step"):
        table.add_column(column, overflow="fold")
    for outcome in verdict.outcomes:
        for each in outcome.open:
            table.add_row(each.rma_id or ", ".join(outcome.rmas), each.type, each.owner, each.detail, each.next_step)
    console.print(table)


def differences(console: Console, verdict: Verdict) -> None:
    """Everything that is not as it should be."""
    for title, found in (("not as expected", verdict.wrong), ("lost", verdict.lost), ("doubled", verdict.doubled)):
        for each in found:
            console.print(f"{title}: {each}", style="red", markup=False, highlight=False, soft_wrap=True)


def line(verdict: Verdict) -> str:
    """The one line that the exit status repeats."""
    said = f"{sum(len(o.rmas) for o in verdict.outcomes)} returns, {verdict.effects} effects: "
    if verdict.good:
        return said + "nothing lost, nothing doubled"
    counts = (("lost", verdict.lost), ("doubled", verdict.doubled), ("not as expected", verdict.wrong))
    return said + ", ".join(f"{len(found)} {what}" for what, found in counts if found)


def where(console: Console, stage: Stage, verdict: Verdict) -> None:
    """Addresses and commands to try while everything stays up."""
    merchants = load_all(stage.settings.merchants)
    example = next((o.rmas[0] for o in verdict.outcomes if o.open and o.rmas), "10000001")
    lines = closing.words(
        stage.settings, stage.addresses, [merchants[stage.merchant]], rma=example, sandbox=True,
        metrics_to=stage.parts[-1].metrics_port,
    )  # fmt: skip
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _named(outcome: Outcome) -> str:
    story = outcome.story
    return f"{story.name} ({story.shop})" if story.shop else story.name


def _row(outcome: Outcome, ready_ms: int | None) -> tuple[str, ...]:
    after = (
        ""
        if outcome.settled_ms is None or ready_ms is None
        else f"{max(0, outcome.settled_ms - ready_ms) / 1000:.1f} s"
    )
    moved = "\n".join(f"{place} {count:+d}" for place, count in sorted(outcome.moved.items()) if count)
    return (
        "\n".join(outcome.rmas), _named(outcome), outcome.story.story, moved, "\n".join(outcome.paid),
        "\n".join(outcome.tags), after, "no" if outcome.wrong else "yes",
    )  # fmt: skip
