"""`returnflow up` in one terminal: brings everything up, shows how it fares, takes it down on Ctrl-C or SIGTERM.

Touches signals, standard output, and through ops.up the broker, the ledger and processes.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops import closing, data_directory, standing
from ops.child import Status
from ops.crew import Crew
from ops.data_directory import Running
from ops.preflight import Found, look
from ops.sandbox_merchants import Played
from ops.standing import Told
from ops.supervisor import Supervisor
from ops.up import (
    SANDBOX,
    Addresses,
    prepare,
    start_kafka,
    start_lag,
    start_sandbox,
    wants_own_kafka,
)
from ops.when import lasting
from schemas.settings import ProcessSettings, ledger_in
from schemas.startup import CannotStart

REFRESH_SECONDS = 0.5
SLOW_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COLOURS = {
    "ready": "green", "starting": "yellow", "not ready": "yellow", "hangs": "red", "waiting": "red",
    "paused": "magenta", "stopped": "dim",
}  # fmt: skip


class _AskedToStop(BaseException):
    """SIGINT or SIGTERM came; unwinds whatever is being waited for."""


def run(settings: ProcessSettings, addresses: Addresses, *, with_sandbox: bool) -> int:
    """Everything until a signal; 0 after a clean stop. Raises CannotStart when something is in the way, before anything
    is started, or when a part does not come up."""
    own_kafka = wants_own_kafka(settings)
    if own_kafka:
        settings = settings.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{addresses.kafka_port}"})
    with _stop_on_signals() as stopped, data_directory.held(settings.data_dir):
        found = look(settings, addresses, own_kafka=own_kafka, with_sandbox=with_sandbox)
        if found.faults:
            raise CannotStart(_in_the_way(found))
        if with_sandbox:
            _start_clean(settings, own_kafka=own_kafka)
        else:
            _say_troubles(found)
        with Supervisor(settings.data_dir / data_directory.LOGS, _say) as supervisor, stopped:
            _bring_up(supervisor, settings, addresses, own_kafka=own_kafka, with_sandbox=with_sandbox)
    return 0


def _in_the_way(found: Found) -> str:
    """Everything, one line each."""
    troubles = [f"merchant {name}: {line}" for name, lines in found.troubles.items() for line in lines]
    lines = [*found.faults, *troubles]
    return "\n  ".join([f"nothing was started, for {len(lines)} thing{'s' * (len(lines) > 1)}:", *lines])


def _say_troubles(found: Found) -> None:
    for name, lines in found.troubles.items():
        for line in lines:
            _say(name, f"misconfigured, the others go on: {line}")


def _start_clean(settings: ProcessSettings, *, own_kafka: bool) -> None:
    """The sandbox begins with nothing, so nothing of an earlier one may be left where we can remove it."""
    if data_directory.clean(settings.data_dir):
        _say("data", f"what an earlier run left in {settings.data_dir} is removed: the sandbox starts clean")
    kept = [] if own_kafka else [f"the Kafka at {settings.kafka_bootstrap}"]
    if settings.ledger_url != ledger_in(settings.data_dir):
        kept.append("the ledger")
    if kept:
        _say("data", f"{' and '.join(kept)} may know returns of earlier sandboxes, whose numbers come again")


def _bring_up(
    supervisor: Supervisor, settings: ProcessSettings, addresses: Addresses, *, own_kafka: bool, with_sandbox: bool
) -> None:
    variables: dict[str, str] = {}
    played: Played | None = None
    if own_kafka:
        start_kafka(supervisor, settings.kafka_bootstrap, settings.data_dir / data_directory.KAFKA)
    if with_sandbox:
        start_sandbox(supervisor, addresses.sandbox_port)
        played = Played(settings.merchants, settings.data_dir, addresses)
        settings, variables = settings.model_copy(update={"merchants": played.folder}), played.variables
        _say_all(played.open())
    with slowly("topics", "comparing with the catalogue"):
        made = prepare(settings)
    _say("topics", f"{made} created")
    crew = Crew(supervisor, settings, addresses, variables)
    crew.start()
    merchants, lag_port = crew.merchants, addresses.metrics_from + len(crew.parts)
    start_lag(supervisor, settings, lag_port)
    standing.serve(lag_port + 1, supervisor.children)
    running = Running(
        pid=os.getpid(), kafka=settings.kafka_bootstrap, gateway=addresses.gateway_url,
        sandbox=addresses.sandbox_url if with_sandbox else None, merchants=str(settings.merchants.absolute()),
    )  # fmt: skip
    data_directory.tell(settings.data_dir, running)
    _say("up", "everything runs. Ctrl-C stops it.")
    _print(closing.words(settings, addresses, merchants.values(), sandbox=with_sandbox, metrics_to=lag_port + 1))
    _watch(supervisor, crew, played, Told(settings.data_dir))


def _say_all(said: list[tuple[str, str]]) -> None:
    for name, what in said:
        _say(name, what)


@contextmanager
def _stop_on_signals() -> Iterator[AbstractContextManager[None]]:
    """The first signal unwinds to here; while things stop, a second one ends us at once (the children die with us)."""

    def asked(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        raise _AskedToStop

    @contextmanager
    def said() -> Iterator[None]:
        try:
            yield
        except _AskedToStop:
            _say("up", "stopping, which may take half a minute; Ctrl-C again ends everything at once")
            raise

    # nohup ignores the hang-up, and means it; a script's & ignores Ctrl-C, which somebody may send all the same
    heard = [each for each in SIGNALS if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, asked) for each in heard}
    try:
        yield said()
    except _AskedToStop:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def slowly(name: str, what: str) -> Iterator[None]:
    """Says what is being done when it takes more than a second."""
    patience = threading.Timer(SLOW_SECONDS, _say, (name, f"{what} …"))
    patience.daemon = True
    patience.start()
    try:
        yield
    finally:
        patience.cancel()


def _say(name: str, what: str) -> None:
    _print([f"{datetime.now():%H:%M:%S}  {name:<18} {what}"])


def _print(lines: list[str]) -> None:
    """A terminal that was closed, or a pipe that reads no more, stops no return."""
    with suppress(OSError):
        sys.stdout.write("".join(f"{line}\n" for line in lines))  # in one piece: several threads tell
        sys.stdout.flush()


def _watch(supervisor: Supervisor, crew: Crew, played: Played | None, told: Told) -> None:
    """Until a signal. On a terminal a table that is kept current; otherwise the supervisor's own lines are all."""
    console = Console()
    began = time.monotonic()
    shown = Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext()
    starts = 0
    with shown as live:
        while True:
            if played is not None:
                now = _starts(supervisor, starts)
                _say_all(played.look() if now == starts else played.open_again())
                starts = now
            crew.look()
            told.tell(supervisor.children())
            if live is not None:
                live.update(_table(supervisor.children(), time.monotonic() - began), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _starts(supervisor: Supervisor, before: int) -> int:
    """How often the sandbox was started again, as soon as it serves."""
    sandbox = next(each for each in supervisor.children() if each.name == SANDBOX)
    return sandbox.restarts if sandbox.state == "ready" else before


def _table(children: list[Status], up_seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, title=f"up {lasting(up_seconds)}", title_justify="left")
    for column in ("process", "state", "pid", "restarts", "why or log"):
        table.add_column(column, no_wrap=True)
    for each in children:
        state = f"[{_COLOURS[each.state]}]{each.state}[/]"
        table.add_row(each.name, state, str(each.pid or ""), str(each.restarts or ""), each.why or str(each.log))
    return table
