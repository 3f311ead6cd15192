"""The topic catalogue: the only place that knows topic names and what may be in them."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from schemas import commands, configuration, exceptions, facts, journal, stock
from schemas.exceptions import Team

DAY_MS = 86_400_000
FOR_EVER_MS = -1
# Topics that one agent reads must have equal counts (co-partitioning); changing it means new changelogs and a re-key.
PARTITIONS = 6

COMMAND_SYSTEMS = ("returngo", "shopify", "lightspeed-x", "lightspeed-r", "sitoo", "linnworks", "patchworks")
DOORS = ("warehouse", "carrier")
SYSTEMS = (*COMMAND_SYSTEMS, *DOORS)
WEBHOOK_SYSTEMS = ("returngo", "shopify", *DOORS)  # whose webhooks the gateway takes
AGENTS = ("cases", "stock")
GROUPS = "returnflow"  # how the names of consumer groups begin

# What was replaced or deleted in a compacted topic is gone for good after so long, however little comes after it.
FORGETS = {"max.compaction.lag.ms": str(7 * DAY_MS), "segment.ms": str(DAY_MS)}

RecordType = type[msgspec.Struct]


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic holds and how long. `records` is empty where original bytes of any kind are kept."""

    name: str
    key: Literal["order", "item", "resource", "order or item", "exception", "source", "row", "merchant"]
    records: tuple[RecordType, ...]
    retention_ms: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    owner: Team
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    compatibility: Literal["FULL_TRANSITIVE", "BACKWARD_TRANSITIVE", "NONE"] = "FULL_TRANSITIVE"
    partitions: int = PARTITIONS
    config: dict[str, str] = {}

    def subject(self, record: RecordType) -> str:
        """Registry subject by TopicRecordNameStrategy."""
        return f"{self.name}-returnflow.{record.__name__}"


RETURN_EVENTS = "return-events"
ORDER_SNAPSHOTS = "order-snapshots"
OBSERVED_EFFECTS = "observed-effects"
CASE_DEADLINES = "case-deadlines"
COMMAND_RESULTS = "command-results"
STOCK_ITEMS = "stock-items"
STOCK_LEVELS = "stock-levels"
RESTOCK_INTENTS = "restock-intents"
RESTOCK_VERDICTS = "restock-verdicts"
EXCEPTIONS = "exceptions"
EXPECTED_RETURNS = "expected-returns"
CASE_JOURNAL = "case-journal"
CONFIGURATION_CHANGES = "configuration-changes"
ERASURES = "erasures"

# What each agent reads; equal partition counts are checked when it starts.
CASES_SOURCES = (
    RETURN_EVENTS, ORDER_SNAPSHOTS, OBSERVED_EFFECTS, CASE_DEADLINES, COMMAND_RESULTS, RESTOCK_VERDICTS, ERASURES,
)  # fmt: skip
STOCK_SOURCES = (STOCK_ITEMS, STOCK_LEVELS, RESTOCK_INTENTS)


def deliveries(system: str) -> str:
    """Topic of a system's webhooks as they came."""
    return f"{system}-deliveries"


def commands_of(system: str) -> str:
    """Topic of the commands for a system."""
    return f"{system}-commands"


def dead_letters(name: str) -> str:
    """Dead letters of a system's deliveries and commands, or of an agent."""
    return f"{name}-dead-letters"


def changelog(agent: str) -> str:
    """Changelog of an agent's table, in the name that Faust gives it."""
    return f"{group_of(f'agent {agent}')}-{agent}-changelog"


def group_of(process: str) -> str:
    """Consumer group of a process as the catalogue names it (`sink shopify`); "" for one that has none: the gateway,
    and people's tools, which settle nothing."""
    kind, _, name = process.partition(" ")
    if kind == "agent":
        return f"{GROUPS}-{name}"
    return f"{GROUPS}-{kind}-{name}" if kind in ("source", "sink") else ""


def _facts(
    name: str, key: Literal["order", "item"], record: RecordType, producers: tuple[str, ...], *more: str
) -> Topic:
    """`more`: who reads it besides the agent whose key it has."""
    reader = "agent cases" if key == "order" else "agent stock"
    return Topic(
        name=name, key=key, records=(record,), retention_ms=400 * DAY_MS, producers=producers,
        consumers=(reader, *more), owner="integration",
    )  # fmt: skip


def _all() -> Iterator[Topic]:
    sources = tuple(f"source {s}" for s in SYSTEMS)
    sinks = tuple(f"sink {s}" for s in COMMAND_SYSTEMS)
    agents = tuple(f"agent {a}" for a in AGENTS)
    for system in SYSTEMS:
        yield Topic(
            name=deliveries(system), key="resource", records=(facts.Delivery,), retention_ms=14 * DAY_MS,
            producers=("gateway",), consumers=(f"source {system}",), owner="integration",
            config={"max.message.bytes": "3145728"},
        )  # fmt: skip
    for system in COMMAND_SYSTEMS:
        yield Topic(
            name=commands_of(system), key="order or item", retention_ms=400 * DAY_MS,
            records=(commands.Restock, commands.Refund, commands.StoreCredit, commands.Exchange, commands.Annotate,
                     commands.Journal),
            producers=agents, consumers=(f"sink {system}",), owner="integration", compatibility="BACKWARD_TRANSITIVE",
        )  # fmt: skip
    for name in (*SYSTEMS, *AGENTS):
        yield Topic(
            name=dead_letters(name), key="source", records=(), retention_ms=400 * DAY_MS,
            producers=(f"source {name}", f"sink {name}") if name in SYSTEMS else (f"agent {name}",),
            consumers=("returnflow dlq",), owner="integration", compatibility="NONE",
            config={"max.message.bytes": "3145728"},
        )  # fmt: skip
    yield _facts(RETURN_EVENTS, "order", facts.ReturnEvent, sources, "source shopify")
    yield _facts(ORDER_SNAPSHOTS, "order", facts.OrderSnapshot, sources)
    yield _facts(OBSERVED_EFFECTS, "order", facts.ObservedEffect, sources)
    yield _facts(CASE_DEADLINES, "order", facts.DeadlineReached, ("agent cases",))
    yield _facts(COMMAND_RESULTS, "order", commands.CommandResult, sinks)
    yield _facts(RESTOCK_VERDICTS, "order", stock.RestockVerdict, ("agent stock",))
    yield _facts(STOCK_ITEMS, "item", stock.StockItem, sources)
    yield _facts(STOCK_LEVELS, "item", stock.StockLevel, sources)
    yield _facts(RESTOCK_INTENTS, "item", stock.RestockIntent, agents, "source shopify")
    people = "returnflow exceptions"
    yield Topic(
        name=EXCEPTIONS, key="exception", records=(exceptions.ExceptionRaised, exceptions.ExceptionCleared),
        retention_ms=400 * DAY_MS, cleanup="compact,delete", producers=(*agents, *sources, *sinks, "gateway", people),
        consumers=(people,), owner="integration", config=FORGETS,
    )  # fmt: skip
    yield Topic(
        name=EXPECTED_RETURNS, key="order", records=(journal.ExpectedReturn,), retention_ms=90 * DAY_MS,
        producers=("agent cases",), consumers=("warehouse systems",), owner="warehouse",
    )  # fmt: skip
    yield Topic(
        name=CASE_JOURNAL, key="order", records=(journal.CaseStep,), retention_ms=400 * DAY_MS,
        producers=("agent cases",), consumers=("returnflow line", "returnflow patterns"), owner="cx",
    )  # fmt: skip
    yield Topic(
        name=ERASURES, key="order", records=(facts.OrderErased,), retention_ms=FOR_EVER_MS, cleanup="compact",
        producers=("returnflow erase",), consumers=("agent cases",), owner="integration",
    )  # fmt: skip
    yield Topic(
        name=CONFIGURATION_CHANGES, key="merchant", records=(configuration.ConfigurationChanged,),
        retention_ms=400 * DAY_MS, producers=("agent cases", "returnflow merchants"),
        consumers=("returnflow merchants",), owner="integration",
    )  # fmt: skip
    for agent in AGENTS:
        yield Topic(
            name=changelog(agent), key="row", records=(), retention_ms=FOR_EVER_MS, cleanup="compact",
            producers=(f"agent {agent}",), consumers=(f"agent {agent}",), owner="integration", compatibility="NONE",
            config={"min.cleanable.dirty.ratio": "0.3", **FORGETS},
        )  # fmt: skip


CATALOGUE: dict[str, Topic] = {topic.name: topic for topic in _all()}
DEAD_LETTERS = tuple(name for name, topic in CATALOGUE.items() if topic.key == "source")  # topics of them
