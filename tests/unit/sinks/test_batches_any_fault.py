"""Restocks in windows, two workers that both have all of them, rebalances, and any row of faults: each unit once."""

import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.commands import Restock
from tests.unit.sinks.peer import (
    BREAKS_AFTER_APPLYING,
    BREAKS_BEFORE_APPLYING,
    LOCKED,
    SERVER_ERROR,
    TIMES_OUT_AFTER_APPLYING,
    Answer,
    running_peer,
)
from tests.unit.sinks.rig import Rig, until
from tests.unit.sinks.toy import restock

FAULTS = (
    Answer(), TIMES_OUT_AFTER_APPLYING, BREAKS_BEFORE_APPLYING, BREAKS_AFTER_APPLYING, SERVER_ERROR, LOCKED,
    Answer(status=429, applies=False, headers={"retry-after": "0"}), Answer(status=401, applies=False),
)  # fmt: skip
BAD = "S1"
worker = st.fixed_dictionaries(
    {
        "batch_seconds": st.sampled_from([0.02, 0.1, 0.5]),
        "claim_ms": st.sampled_from([1_000, 1_500, 3_000]),
        "park_seconds": st.sampled_from([0.0, 0.3, 5.0]),
    }
)
pieces = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 3)), min_size=5, max_size=40)
rebalances = st.lists(
    st.tuples(st.booleans(), st.floats(0.0, 0.5), st.sampled_from([0.0, 0.05, 0.3])), max_size=3
)  # of the first or the second worker, after so many seconds, with so many to end


@pytest.mark.req("INV-13", "INV-14", "INV-16")
@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)  # an example takes seconds: a smaller one is not worth minutes
@given(
    pieces=pieces,
    workers=st.tuples(worker, worker),
    faults=st.lists(st.sampled_from(FAULTS), max_size=7),
    has_bad=st.booleans(),
    rebalances=rebalances,
)
def test_each_unit_moves_once_and_each_command_ends(
    pieces: list[tuple[int, int]],
    workers: tuple[dict[str, Any], dict[str, Any]],
    faults: list[Answer],
    has_bad: bool,
    rebalances: list[tuple[bool, float, float]],
) -> None:
    commands = [restock(n, sku=f"S{sku}", quantity=quantity) for n, (sku, quantity) in enumerate(pieces)]
    moved, outcomes = asyncio.run(play(commands, workers, faults, {BAD} if has_bad else set(), rebalances))
    wanted: Counter[str] = Counter()
    for command in commands:
        if has_bad and command.sku == BAD:
            assert outcomes[command.command_id] == {"rejected"}
        else:
            assert outcomes[command.command_id] <= {"applied", "already_applied"}
            wanted[command.sku] += command.quantity
    assert moved == wanted


async def play(
    commands: list[Restock],
    workers: tuple[dict[str, Any], dict[str, Any]],
    faults: list[Answer],
    refuses: set[str],
    rebalances: list[tuple[bool, float, float]],
) -> tuple[Counter[str], dict[str, set[str]]]:
    """What moved, and how each command ended at whoever ended it."""
    with running_peer() as peer, tempfile.TemporaryDirectory() as folder:
        peer.script["batches"], peer.refuses = list(faults), refuses
        async with AsyncExitStack() as stack:
            rigs = [
                await stack.enter_async_context(
                    Rig(peer, f"sqlite:///{folder}/ledger.db", ("shop",), worker=name, **changed).running()
                )
                for name, changed in zip(("one", "two"), workers, strict=True)
            ]
            for rig in rigs:
                rig.send(*commands)
            for second, seconds, budget in rebalances:
                await asyncio.sleep(seconds)
                await rigs[second].assignment.end(budget)
                rigs[second].assign()
                rigs[second].send(*commands)
            wanted = {command.command_id for command in commands}
            await until("all have ended", lambda: wanted <= {id_ for rig in rigs for id_ in rig.outcomes()}, 60.0)
            await asyncio.gather(*(rig.settled(60.0) for rig in rigs))
        found: dict[str, set[str]] = {id_: set() for id_ in wanted}
        for result in (result for rig in rigs for result in rig.results()):
            found[result.command_id].add(result.outcome)
        return peer.units, found
