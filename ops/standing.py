"""How the processes of a running `up` fare, for commands of another terminal, for Prometheus and for probes. Touches a
file in the data directory and a port."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ops import run_file
from ops.child import State, Status
from schemas import endpoints

FILE = "processes.json"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `why`: what is wrong while it does not serve."""

    name: str
    state: State
    pid: int | None
    restarts: int
    last_exit: int | None
    why: str
    log: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, and the process of `up` that says so."""

    up: int
    processes: tuple[Process, ...]


class Told:
    """Keeps the file of one run: it is written when something has changed."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / FILE
        self._last: Standing | None = None

    def tell(self, children: Sequence[Status]) -> None:
        """In one piece: whoever reads it meanwhile reads the old or the new. A disk without room stops nothing: it is
        written later."""
        found = Standing(up=os.getpid(), processes=tuple(_process(each) for each in _needed(children)))
        if found == self._last:
            return
        with suppress(OSError):
            run_file.put(self._file, found)
            self._last = found


def standing(data_dir: Path) -> Standing | None:
    """Of the `up` that runs there; None: none does."""
    return run_file.of_living(data_dir / FILE, Standing, lambda found: found.up)


def serve(port: int, children: Callable[[], Sequence[Status]]) -> None:
    """/metrics, /health and /ready of `up` itself: it serves while all of its processes do."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(SupervisorTelemetry(children))
    endpoints.serve("127.0.0.1", port, registry=registry, ready=[lambda: _not_ready(children())])


class SupervisorTelemetry(Collector):
    """Of each process, as the supervisor sees it: one that hangs says nothing itself."""

    def __init__(self, children: Callable[[], Sequence[Status]]) -> None:
        self._children = children

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        ready = GaugeMetricFamily(
            "returnflow_process_ready",
            "1 while a process of `up` serves, as its supervisor sees it.",
            labels=["process"],
        )
        restarts = CounterMetricFamily(
            "returnflow_process_restarts", "Times that the supervisor has started a process again.", labels=["process"]
        )
        for each in _needed(self._children()):
            ready.add_metric([each.name], each.state == "ready")
            restarts.add_metric([each.name], each.restarts)
        yield from (ready, restarts)


def _not_ready(children: Sequence[Status]) -> str | None:
    found = [f"{each.name}: {each.why or each.state}" for each in _needed(children) if each.state != "ready"]
    return "; ".join(found) or None


def _needed(children: Sequence[Status]) -> Iterator[Status]:
    """Without those that nobody needs any more."""
    return (each for each in children if each.state != "stopped")


def _process(each: Status) -> Process:
    return Process(
        name=each.name, state=each.state, pid=each.pid, restarts=each.restarts, last_exit=each.last_exit, why=each.why,
        log=str(each.log),
    )  # fmt: skip
