"""Notes and sent facts in the ledger, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sinks.ledger.ledger import Ledger
from streams.sources.memory import LONGEST_NAME, LONGEST_SLOT, Memory, shortened

Remember = Callable[[str], Memory]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of this test's own."""
    sqlite = f"sqlite:///{tmp_path}/ledger.db"
    made = Ledger(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield made
    made.close()


async def test_notes_are_kept_overwritten_forgotten_and_apart(ledger: Ledger) -> None:
    memory, other = Memory(ledger, "returngo", Clock()), Memory(ledger, "shopify", Clock())
    await memory.keep("shop-a", {"a": "1", "b": "2"})
    await memory.keep("shop-a", {"a": "3", "b": None, "never": None})
    assert await memory.notes("shop-a", ["a", "b"]) == {"a": "3"}
    assert await memory.notes("shop-b", ["a"]) == {}
    assert await other.notes("shop-a", ["a"]) == {}
    assert await other.notes("shop-a", ["a"], system="returngo") == {"a": "3"}
    assert await memory.notes("shop-a", []) == {}


async def test_names_longer_than_their_column_are_found_again(ledger: Ledger) -> None:
    memory, name = Memory(ledger, "returngo", Clock()), "sku:" + "x" * 300
    await memory.keep("shop-a", {name: "1"})
    assert await memory.notes("shop-a", [name, name + "y"]) == {name: "1"}
    assert len(shortened(name, LONGEST_NAME)) <= LONGEST_NAME
    assert len(await memory.listed("shop-a", "sku:", 9)) == 1


async def test_those_not_written_for_longest_are_listed_first(ledger: Ledger) -> None:
    clock = Clock()
    memory = Memory(ledger, "returngo", clock)
    for name in ("rma:1", "rma:2", "rma:3", "rm_:4"):
        clock.ms += 1
        await memory.keep("shop-a", {name: name})
    clock.ms += 1
    await memory.keep("shop-a", {"rma:1": "again"})
    assert list(await memory.listed("shop-a", "rma:", 2)) == ["rma:2", "rma:3"]
    assert list(await memory.listed("shop-a", "rm_", 9)) == ["rm_:4"]


@pytest.mark.req("INV-13")
async def test_only_the_last_fact_of_a_slot_counts_as_sent(ledger: Ledger) -> None:
    memory = Memory(ledger, "returngo", Clock())
    assert await memory.unsent("shop-a", {"x": "1", "y": "1"}) == {"x", "y"}
    await memory.sent("shop-a", {"x": "1"}, {"note": "kept"})
    assert await memory.unsent("shop-a", {"x": "1", "y": "1"}) == {"y"}
    await memory.sent("shop-a", {"x": "2"}, {})
    assert await memory.unsent("shop-a", {"x": "1"}) == {"x"}
    assert await memory.notes("shop-a", ["note"]) == {"note": "kept"}


async def test_many_slots_at_once_and_long_ones(ledger: Ledger) -> None:
    memory = Memory(ledger, "shopify", Clock())
    slots = {f"fact:{n}": str(n) for n in range(700)} | {"level:1:" + "x" * LONGEST_SLOT: "long"}
    await memory.sent("shop-a", slots, {})
    assert await memory.unsent("shop-a", slots) == set()


async def test_what_nobody_touched_for_long_is_forgotten(ledger: Ledger) -> None:
    clock = Clock()
    memory, other = Memory(ledger, "returngo", clock), Memory(ledger, "shopify", clock)
    await memory.sent("shop-a", {"old": "1"}, {"old": "1"})
    await other.sent("shop-a", {"old": "1"}, {"old": "1"})
    clock.ms += 1_000
    await memory.sent("shop-a", {"new": "1"}, {"new": "1"})
    await memory.purge(clock.ms)
    assert await memory.unsent("shop-a", {"old": "1", "new": "1"}) == {"old"}
    assert await memory.notes("shop-a", ["old", "new"]) == {"new": "1"}
    assert await other.notes("shop-a", ["old"]) == {"old": "1"}
