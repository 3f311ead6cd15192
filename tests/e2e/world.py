"""The whole pipeline as it runs, seen from outside: the shops' books, the topics, what `returnflow` prints."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
from confluent_kafka import Producer

from ops import inbox
from ops.demo.client import Sandbox
from ops.demo.merchants import EXAMPLE_MERCHANT, open_merchant
from ops.demo.stage import EXAMPLE, Opened, Stage, merchant_file
from ops.demo.story import Body
from ops.kafka import Seen, admin, quiet, read
from ops.lag import Lag, measure
from ops.up import Addresses, environment
from schemas.codec import Codec
from schemas.commands import Command
from schemas.exceptions import ExceptionRaised
from schemas.topics import commands_of
from sinks.work import keys
from tests import processes

T = TypeVar("T")
CALM = EXAMPLE_MERCHANT
# Merchants beside the demo's own, each for what would disturb the others.
OTHERS = ("rough", "crash", "refusing", "down", "gathering", "regrading", "cancelling", "promising", "abroad", "apart")
# Late changes are compensated for units that have names: where pieces are counted, nobody knows which was graded anew.
_COMPENSATED = {'late_changes = "raise"': 'late_changes = "compensate"', 'source = "either"': 'source = "returngo"'}
# What their files say instead.
DIFFERENT = {
    "gathering": {"batch_seconds = 0 ": "batch_seconds = 5 "},
    "regrading": _COMPENSATED,
    "cancelling": _COMPENSATED,
    "promising": {'shipping = "never"': 'shipping = "full_return"'},
    "abroad": {'currency = "ZAR"': 'currency = "EUR"'},
}
# What their shops are like.
OPENED: dict[str, Body] = {
    "promising": {"rounding": "first_unit"},
    "abroad": {"currency": "EUR", "rounding": "last_unit"},
    "apart": {"rounding": "tax_apart"},
}
WITHIN_SECONDS = 300.0
LOOK_EVERY_SECONDS = 0.5
QUIET_LOOKS = 3
CUSTOMER_NAME, CUSTOMER_EMAIL = "Wilhelmina Quagga", "w.quagga@private.example"


def until(look: Callable[[], T], right: Callable[[T], object], within_seconds: float = WITHIN_SECONDS) -> T:
    """The first look that is right; fails with the last one when none is in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        seen = look()
        if right(seen):
            return seen
        assert time.monotonic() < deadline, f"not so within {within_seconds:g} s; the last look: {seen}"
        time.sleep(LOOK_EVERY_SECONDS)


class Shared(Generic[T]):
    """One look serves everybody who asked before it began: many tests wait side by side."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._began = -1.0
        self._found: list[T] = []

    def fresh(self) -> T:
        """A look that began after it was asked for."""
        asked = time.monotonic()
        with self._lock:
            if self._began < asked:
                self._began = time.monotonic()
                self._found = [self._look()]
            return self._found[0]


class World:
    """What every test may do and see."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.bootstrap = stage.settings.kafka_bootstrap
        self.gateway = f"http://127.0.0.1:{stage.addresses.gateway_port}"
        self._control = f"http://127.0.0.1:{stage.addresses.sandbox_port}/_sandbox"
        self._mine = threading.local()
        self._clients: list[httpx.Client] = []
        self._books: Shared[dict[str, Any]] = Shared(lambda: self.get("/books")["shops"])
        self.codec = Codec()
        self._inbox = Shared(lambda: inbox.load(self.bootstrap, self.codec).items)

    def close(self) -> None:
        """Let go of the connections."""
        for each in self._clients:
            each.close()

    @property
    def _http(self) -> httpx.Client:
        """A client for each thread: of one that they share, httpx may close a connection that another is using."""
        if not hasattr(self._mine, "client"):
            self._mine.client = httpx.Client(base_url=self._control, timeout=30.0)
            self._clients.append(self._mine.client)
        client: httpx.Client = self._mine.client
        return client

    def get(self, path: str) -> Any:
        """Ask the sandbox's control door."""
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        """Make something happen in the sandbox."""
        answer = self._http.post(path, json=body)
        assert answer.is_success, f"POST {path}: {answer.text}"
        return answer.json()

    def books(self, domain: str) -> dict[str, Any]:
        """What really happened in a shop."""
        found: dict[str, Any] = self._books.fresh()[domain]
        return found

    def exceptions(self) -> tuple[inbox.Item, ...]:
        """All exceptions, cleared ones too."""
        return self._inbox.fresh()

    def raised(self, order_id: str) -> dict[str, ExceptionRaised]:
        """Open exceptions of an order by type."""
        return {
            each.raised.type: each.raised
            for each in self.exceptions()
            if each.state == "open" and each.raised.order_id == order_id
        }

    def cli(self, *arguments: str) -> Any:
        """What `returnflow … --json` prints."""
        env = {**os.environ, **environment(self.stage.settings)}
        done = processes.done("ops.cli", [*arguments, "--json"], env)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def topic(self, name: str) -> list[Seen]:
        """All records of a topic."""
        return list(read(self.bootstrap, name))

    def order(self, command: Command) -> None:
        """A command that no agent has sent."""
        producer = Producer({**quiet(self.bootstrap), "partitioner": "murmur2_random"})
        producer.produce(commands_of(command.system), self.codec.encode(command), keys(command)[-1])
        assert producer.flush(30) == 0

    def lag(self) -> list[Lag]:
        """How far each group is behind."""
        return measure(admin(self.bootstrap), self.bootstrap, time.time_ns() // 1_000_000)

    def quiet(self) -> None:
        """Wait until no webhook is under way, nothing is left to read, and it stays so."""
        still = 0

        def look() -> list[Lag]:
            self.post("/webhooks/settle", {"seconds": 10})
            return [each for each in self.lag() if each.messages]

        def right(behind: list[Lag]) -> bool:
            nonlocal still
            still = 0 if behind else still + 1
            return still >= QUIET_LOOKS

        until(look, right)


def open_others(folder: Path, addresses: Addresses, sandbox: Sandbox, _merchant: str) -> Opened:
    """Files and shops of the other merchants; their secrets."""
    secrets: dict[str, str] = {}
    for merchant in OTHERS:
        text = merchant_file(EXAMPLE.read_text(encoding="utf-8"), merchant, addresses)
        secrets |= open_merchant(folder, sandbox, merchant, text, DIFFERENT.get(merchant, {}), OPENED.get(merchant, {}))
    return Opened(secrets=secrets)
