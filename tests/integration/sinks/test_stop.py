"""Stopping a sink worker whose surroundings do not answer: it ends in time, and the next worker does what is left."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.kafka import LocalKafka
from tests.integration.sinks.test_worker_faults import Field, load, open_field, wait_for
from tests.processes import Process

# The worker has 5 s for stopping; without a bound it waits for as long as Kafka is away.
LONG_SECONDS = 30.0


@pytest.fixture
def field(own_broker: LocalKafka, tmp_path: Path) -> Iterator[Field]:
    with open_field(own_broker.bootstrap, f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


def ends(process: Process) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(LONG_SECONDS)


@pytest.mark.req("OPS-3", "INV-14")
def test_a_worker_stops_in_time_while_kafka_does_not_answer(field: Field, own_broker: LocalKafka) -> None:
    """Its commands are applied and cannot be reported; they are, once, by the next worker."""
    commands = load(field.system, 60)
    ids = {command.command_id for command in commands}
    field.peer.delay_seconds = 0.05
    field.send(commands)
    with field.worker() as process:
        wait_for("it is at work", lambda: len(field.peer.effects) >= 5)
        own_broker.pause()
        try:
            assert ends(process) == 0
        finally:
            own_broker.resume()
    with field.worker() as process:
        field.wait(ids)
        assert ends(process) == 0
    assert field.peer.effects == dict.fromkeys(ids, 1)
    assert field.results().keys() == ids


@pytest.mark.req("OPS-3")
def test_a_worker_stops_in_time_in_a_rebalance_that_waits_for_a_dead_neighbour(field: Field) -> None:
    """The group waits for the member that was killed; whoever stops need not, and who stays goes on."""
    commands = load(field.system, 60)
    ids = {command.command_id for command in commands}
    with field.worker() as dead, field.worker() as alive:
        field.send(commands[:30])
        field.wait(command.command_id for command in commands[:30])
        dead.kill()
        with field.worker() as joining:
            assert ends(alive) == 0
            field.send(commands[30:])
            field.wait(ids)
            assert ends(joining) == 0
    assert field.peer.effects == dict.fromkeys(ids, 1)
    assert field.results().keys() == ids
