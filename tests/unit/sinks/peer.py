"""A small HTTP system on a loopback port, scripted fault by fault, with books that show what really happened.

It has no idea of idempotency: every POST that it applies is counted, so an effect applied twice shows. Only batches
have a key that it knows again. `units` are what really moved, by whatever way.
"""

import asyncio
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass
class Answer:
    """What a request gets: applied or not, then an answer, silence, or a broken connection."""

    status: int = 200
    applies: bool = True
    silent_seconds: float = 0.0  # before answering; longer than the client waits is a time-out
    breaks: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


TIMES_OUT_AFTER_APPLYING = Answer(silent_seconds=30.0)
BREAKS_BEFORE_APPLYING = Answer(applies=False, breaks=True)
BREAKS_AFTER_APPLYING = Answer(breaks=True)
SERVER_ERROR = Answer(status=500, applies=False)
LOCKED = Answer(status=423, applies=False)
KEY_SPENT = Answer(status=409, applies=False)
REFUSED = Answer(status=422, applies=False, body="order 1 is archived, customer ann@example.com")
OTHER_FIGURE = Answer(status=406, applies=False, body="900")
UNREADABLE = Answer(body="not json")


@dataclass
class Quota:
    """A bucket as real systems have it; over it: 429."""

    capacity: float
    per_second: float
    tokens: float = 0.0
    at: float = 0.0
    used: int = 0
    refused: int = 0
    wasted: float = 0.0  # ran over, because nobody asked while the bucket was full

    def take(self) -> bool:
        now = time.monotonic()
        grown = self.tokens + ((now - self.at) * self.per_second if self.at else 0.0)
        self.tokens = min(self.capacity, grown)
        self.wasted += grown - self.tokens
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        self.used += 1
        return True


class Peer:
    """`script[command id]` is a list of answers for its next POSTs; then it applies and answers 200."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.order: list[str] = []  # command ids as they were applied
        self.requests: list[tuple[str, str, float]] = []  # method, command id, when
        self.keys: dict[str, list[str]] = defaultdict(list)  # idempotency keys seen per command
        self.script: dict[str, list[Answer]] = defaultdict(list)
        self.always: dict[str, Answer] = {}
        self.units: Counter[str] = Counter()
        self.batches: list[tuple[str, bool]] = []  # key of each POST of one, and whether it moved anything
        self.refuses: set[str] = set()  # targets
        self.forgets: set[str] = set()  # targets that it accepts and leaves as they are, without a word
        self._bodies: dict[str, bytes] = {}  # by key
        self._spent: set[str] = set()  # keys of what was refused
        self.token = "good"
        self.down = False
        self.delay_seconds = 0.0
        self.quota: Quota | None = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def times(self, method: str, command_id: str) -> int:
        return sum(1 for each in self.requests if each[:2] == (method, command_id))

    def handle(self, method: str, path: str, token: str, body: bytes) -> Answer:
        command_id = path.rpartition("/")[2]
        self.requests.append((method, command_id, time.monotonic()))
        if self.down:
            return Answer(status=503, applies=False)
        if token != f"Bearer {self.token}":
            return Answer(status=401, applies=False)
        if self.quota is not None and not self.quota.take():
            return Answer(status=429, applies=False, headers={"retry-after": "1"})
        if path == "/batches":
            answer = self._batch(body)
        else:
            answer = self._get(path, command_id) if method == "GET" else self._post(command_id, body)
        if self.quota is not None:
            answer = Answer(**{**answer.__dict__, "headers": {"x-left": str(self.quota.tokens)}})
        return answer

    def _get(self, path: str, command_id: str) -> Answer:
        if path == "/effects":
            return Answer(body=json.dumps(sorted(self.effects)))
        return Answer(body=json.dumps({"id": command_id})) if self.effects[command_id] else Answer(status=404)

    def _batch(self, body: bytes) -> Answer:
        asked = json.loads(body)
        key, changes = asked["key"], asked["changes"]
        waiting = self.script["batches"]
        answer = waiting.pop(0) if waiting else self.always.get("batches", Answer())
        if self._bodies.setdefault(key, body) != body:
            return Answer(status=400, applies=False)
        if key in self._spent:
            return KEY_SPENT
        if answer.applies and self.refuses & changes.keys():
            answer = REFUSED
        if answer.status == REFUSED.status:
            self._spent.add(key)
        moves = answer.applies and (key, True) not in self.batches
        self.batches.append((key, moves))
        if moves:
            self.units.update(changes)
        moved = [target for target in changes if target not in self.forgets]
        return Answer(**{**answer.__dict__, "body": answer.body or json.dumps({"id": key, "moved": moved})})

    def _post(self, command_id: str, body: bytes) -> Answer:
        asked = json.loads(body)
        self.keys[command_id].append(asked["key"])
        waiting = self.script[command_id]
        answer = waiting.pop(0) if waiting else self.always.get(command_id, Answer())
        if answer.applies and self.refuses & asked.get("changes", {}).keys():
            answer = REFUSED
        if answer.applies:
            self.effects[command_id] += 1
            self.order.append(command_id)
            self.units.update(asked.get("changes", {}))
        return Answer(**{**answer.__dict__, "body": answer.body or json.dumps({"id": command_id})})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            answer = self.handle(method, path, headers.get("authorization", ""), body)
            if answer.breaks:
                return False
            if answer.silent_seconds:
                await asyncio.sleep(answer.silent_seconds)
        finally:
            self.in_flight -= 1
        text = (answer.body or "{}").encode()
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", f"content-length: {len(text)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        await writer.drain()
        return True


@contextmanager
def running_peer() -> Iterator[Peer]:
    """A peer on a port of its own, in a thread of its own: it lives on when a worker is killed."""
    peer, loop, ready = Peer(), asyncio.new_event_loop(), threading.Event()
    servers: list[asyncio.Server] = []

    async def start() -> None:
        servers.append(await asyncio.start_server(peer.serve, "127.0.0.1", 0, backlog=1024))
        peer.port = servers[0].sockets[0].getsockname()[1]
        ready.set()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        servers[0].close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield peer
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
