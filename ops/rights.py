"""The least that each process may do in Kafka, from the catalogue: which topics it reads and writes, in which group.

Pure. To read or write a topic includes to see it; a producer's idempotence needs no right of its own.
"""

from typing import Literal

import msgspec

from schemas.topics import CATALOGUE, ERASURES, EXCEPTIONS, group_of

GROUPS = "returnflow-"
# Who else asks Kafka: the exporter of lag; people who look, apply merchant files, close exceptions, erase, or pause
# sinks; and who creates the topics.
LAG, LOOK, MERCHANTS, RESOLVE, ERASE, HOLD, SETUP = "lag", "look", "merchants", "exceptions", "erase", "hold", "setup"


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may do with one topic, one group, or the groups that begin so (`prefixed`), or the cluster."""

    process: str
    resource: Literal["topic", "group", "cluster"]
    name: str
    pattern: Literal["literal", "prefixed"] = "literal"
    operations: tuple[str, ...]

    @property
    def user(self) -> str:
        """The name that we propose; any other will do."""
        return f"returnflow-{self.process.replace(' ', '-')}"

    def line(self) -> str:
        """For Kafka's own tool; what comes before says which cluster and who asks."""
        operations = " ".join(f"--operation {each}" for each in self.operations)
        resource = "--cluster" if self.resource == "cluster" else f"--{self.resource} {self.name}"
        pattern = " --resource-pattern-type prefixed" if self.pattern == "prefixed" else ""
        return f"kafka-acls --add --allow-principal User:{self.user} {operations} {resource}{pattern}"


def processes() -> list[str]:
    """Every process that reads or writes a topic, as the catalogue names it."""
    named = {each for topic in CATALOGUE.values() for each in (*topic.producers, *topic.consumers)}
    return sorted(each for each in named if each.partition(" ")[0] in {"gateway", "source", "agent", "sink"})


def rights() -> list[Right]:
    """All of them, process by process; those of people come last."""
    found = [right for process in processes() for right in _of_process(process)]
    people = [*_telling(MERCHANTS), *_telling(RESOLVE), *_erasing(), *_holding()]
    return [*found, *_watching(LAG), *_watching(LOOK), *people, *_setup()]


def _of_process(process: str) -> list[Right]:
    found = [
        Right(process=process, resource="topic", name=topic.name, operations=operations)
        for topic in CATALOGUE.values()
        if (operations := _on(process, topic.consumers, topic.producers))
    ]
    if group := group_of(process):
        found.append(Right(process=process, resource="group", name=group, operations=("Read",)))
    return found


def _on(process: str, readers: tuple[str, ...], writers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, who in (("Read", readers), ("Write", writers)) if process in who)


def _watching(process: str) -> list[Right]:
    """Reads everything, is told how far the groups are, changes nothing."""
    return [
        *(Right(process=process, resource="topic", name=name, operations=("Read",)) for name in CATALOGUE),
        Right(process=process, resource="group", name=GROUPS, pattern="prefixed", operations=("Describe",)),
    ]


def _telling(command: str) -> list[Right]:
    """Looks, and writes what its command tells: a changed merchant file, an exception that a person closed."""
    told = [topic.name for topic in CATALOGUE.values() if f"returnflow {command}" in topic.producers]
    written = [Right(process=command, resource="topic", name=name, operations=("Write",)) for name in told]
    return [*_watching(command), *written]


def _erasing() -> list[Right]:
    """Looks; asks to forget; takes away webhooks, dead letters and exceptions, and puts back what is of others."""
    raw = [name for name, topic in CATALOGUE.items() if topic.key in ("resource", "source")]
    written = [ERASURES, EXCEPTIONS, *(name for name in raw if CATALOGUE[name].key == "source")]
    return [
        *_watching(ERASE),
        *(Right(process=ERASE, resource="topic", name=name, operations=("Write",)) for name in written),
        *(Right(process=ERASE, resource="topic", name=name, operations=("Delete",)) for name in raw),
    ]


def _holding() -> list[Right]:
    """Tells that a sink is paused; the ledger is what counts."""
    return [Right(process=HOLD, resource="topic", name=EXCEPTIONS, operations=("Write",))]


def _setup() -> list[Right]:
    changes = ("Create", "Describe", "DescribeConfigs", "AlterConfigs")
    return [
        *(Right(process=SETUP, resource="topic", name=name, operations=changes) for name in CATALOGUE),
        Right(process=SETUP, resource="cluster", name="kafka-cluster", operations=("Describe", "DescribeConfigs")),
    ]
