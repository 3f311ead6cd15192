"""`returnflow up` in one terminal: brings everything up, shows how it fares, takes it down on Ctrl-C or SIGTERM.

Touches signals, standard output, and through ops.up the broker, the ledger and processes.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops.sandbox_shop import SECRETS, seed
from ops.supervisor import Status, Supervisor
from ops.up import (
    Addresses,
    configured_systems,
    parts,
    prepare,
    start_kafka,
    start_lag,
    start_pipeline,
    start_sandbox,
    wants_own_kafka,
)
from ops.when import lasting
from schemas.merchant_folder import MerchantFolder
from schemas.settings import ProcessSettings

REFRESH_SECONDS = 0.5
_COLOURS = {"ready": "green", "starting": "yellow", "waiting": "red", "paused": "magenta", "stopped": "dim"}


class _AskedToStop(BaseException):
    """SIGINT or SIGTERM came; unwinds whatever is being waited for."""


def run(settings: ProcessSettings, addresses: Addresses, *, with_sandbox: bool) -> int:
    """Everything until a signal; 0 after a clean stop. Raises CannotStart when a part does not come up."""
    own_kafka = wants_own_kafka(settings)
    folder = MerchantFolder.opened(settings.merchants)  # before anything is started: the likeliest fault
    merchants = folder.merchants
    for name, problem in folder.troubles.items():
        _say(name, f"misconfigured, the others go on: {problem}")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secrets = SECRETS if with_sandbox else {}
    try:
        with _stop_on_signals(), Supervisor(settings.data_dir / "log", _say) as supervisor:
            if own_kafka:
                start_kafka(supervisor, settings.kafka_bootstrap, settings.data_dir / "kafka")
            if with_sandbox:
                start_sandbox(supervisor, addresses.sandbox_port)
                seed(addresses.sandbox_port, merchants)
            _say("topics", f"{prepare(settings)} created")
            start_pipeline(supervisor, settings, addresses, secrets)
            lag_port = addresses.metrics_from + len(parts(merchants, addresses))
            start_lag(supervisor, settings, lag_port)
            _say("up", _where(settings, addresses, configured_systems(merchants), lag_port))
            _watch(supervisor)
    except _AskedToStop:
        return 0
    return 0


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """The first signal unwinds to here; while things stop, a second one ends us at once (the children die with us)."""

    def asked(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        raise _AskedToStop

    before = {each: signal.signal(each, asked) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _say(name: str, what: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {name:<18} {what}", flush=True)


def _where(settings: ProcessSettings, addresses: Addresses, systems: list[str], lag_port: int) -> str:
    return (
        f"Kafka {settings.kafka_bootstrap}, gateway http://127.0.0.1:{addresses.gateway_port}, "
        f"metrics from port {addresses.metrics_from}, lag on {lag_port}, systems {', '.join(systems)}. Ctrl-C stops it."
    )


def _watch(supervisor: Supervisor) -> None:
    """Until a signal. On a terminal a table that is kept current; otherwise the supervisor's own lines are all."""
    console = Console()
    if not console.is_terminal:
        threading.Event().wait()
    began = time.monotonic()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(_table(supervisor.children(), time.monotonic() - began), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _table(children: list[Status], up_seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, title=f"up {lasting(up_seconds)}", title_justify="left")
    for column in ("process", "state", "pid", "restarts", "log"):
        table.add_column(column, no_wrap=True)
    for each in children:
        state = f"[{_COLOURS[each.state]}]{each.state}[/]"
        table.add_row(each.name, state, str(each.pid or ""), str(each.restarts or ""), str(each.log))
    return table
