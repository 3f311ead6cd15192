"""The ledger as a process uses it: operations of many commands share a transaction. May touch the database.

One thread owns the connection. While it commits, the next operations gather; so hundreds of commands a second cost a
few commits. An operation is done when its transaction is committed. Without the database everything waits.
"""

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError

from schemas import disks
from sinks.ledger.engine import ledger_file, open_engine

log = structlog.get_logger()

A = TypeVar("A")
R = TypeVar("R")
# Does the same for many arguments in one transaction; may be run again after a rollback.
Many = Callable[[Connection, Sequence[A]], Sequence[R]]

MOST_PER_COMMIT = 500
MOST_COLLISIONS = 5
LONGEST_WAIT_SECONDS = 5.0


class LedgerClosed(RuntimeError):
    """The process is stopping; the operation was not done."""


class Unstorable(ValueError):
    """The database answers, and takes no such value: asked again it says the same. Nothing of it was done.

    The message names the kind of fault alone: the database's own words would repeat the value.
    """


class _Call:
    """One operation under way and where its answer goes."""

    __slots__ = ("argument", "future", "loop", "many")

    def __init__(self, many: Many[Any, Any], argument: Any) -> None:
        self.many = many
        self.argument = argument
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()


class Ledger:
    """Open with a URL, `await do(...)`, and `close()` at the end. Safe for any number of tasks of any event loop."""

    def __init__(self, url: str, observe: Callable[[float], object] | None = None) -> None:
        self.engine: Engine = open_engine(url)
        self._observe = observe  # told how long each transaction took
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def do(self, many: Many[A, R], argument: A) -> R:
        """The answer to one argument of a many-operation, once it is committed."""
        if self._closing.is_set():
            raise LedgerClosed("the ledger is closed")
        call = _Call(many, argument)
        self._calls.put(call)
        answer: R = await call.future
        return answer

    async def run(self, operation: Callable[[Connection], R]) -> R:
        """The answer of one operation, once it is committed; it may be run again after a rollback."""

        def many(connection: Connection, arguments: Sequence[None]) -> Sequence[R]:
            return [operation(connection) for _ in arguments]

        return await self.do(many, None)

    def close(self, patience_seconds: float = 15.0) -> None:
        """Finish what was asked for, as far as the database answers in that time, and let go of it."""
        self._closing.set()
        self._calls.put(None)
        self._thread.join(patience_seconds)
        if self._thread.is_alive():
            log.warning("ledger_left_open", seconds=round(patience_seconds, 1))  # it ends with the process
        else:
            self.engine.dispose()

    def _work(self) -> None:
        while True:
            calls = self._gather()
            if calls:
                self._commit(calls)
            # Also after a commit: the wake-up of `close` may have been gathered together with the last calls.
            if self._closing.is_set() and self._calls.empty():
                return

    def _gather(self) -> list[_Call]:
        first = self._calls.get()
        calls = [] if first is None else [first]
        while len(calls) < MOST_PER_COMMIT:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            if call is not None:
                calls.append(call)
        return calls

    def _commit(self, calls: list[_Call]) -> None:
        try:
            answers = self._patiently(calls)
        except Exception as error:
            if len(calls) == 1:
                self._commit_alone(calls[0], error)
                return
            for call in calls:
                self._commit([call])
            return
        _hand_over(calls, answers)

    def _commit_alone(self, call: _Call, error: Exception) -> None:
        """Another process may have written the very row that this one was about to: look again, a few times."""
        for _ in range(MOST_COLLISIONS):
            if not isinstance(error, IntegrityError):
                break
            try:
                _hand_over([call], self._patiently([call]))
            except IntegrityError as again:
                error = again
            else:
                return
        _hand_over([call], [_blamed(error)])

    def _patiently(self, calls: list[_Call]) -> list[Any]:
        wait = 0.02
        while True:
            started = time.monotonic()
            try:
                answers = self._transaction(calls)
            except DBAPIError as error:
                if not _passes(error):
                    raise
                # Busy, deadlocked or gone: nothing was committed, or we cannot know; operations bear repetition.
                if self._closing.is_set():
                    raise LedgerClosed("the ledger did not answer while the process was stopping") from error
                self._say_why(error)
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, guards nothing
                wait = min(LONGEST_WAIT_SECONDS, wait * 2)
            else:
                if self._observe is not None:
                    self._observe(time.monotonic() - started)
                return answers

    def _say_why(self, error: DBAPIError) -> None:
        file = ledger_file(self.engine)
        if disks.no_room(error, file):
            log.error("disk_full", what=disks.told(file, "RETURNFLOW_LEDGER_URL"))
        else:
            log.warning("ledger_waits", error=type(error.orig).__name__)

    def _transaction(self, calls: list[_Call]) -> list[Any]:
        kinds: dict[Many[Any, Any], list[int]] = {}
        for index, call in enumerate(calls):
            kinds.setdefault(call.many, []).append(index)
        answers: list[Any] = [None] * len(calls)
        with self.engine.begin() as connection:
            for many, indexes in kinds.items():
                found = many(connection, [calls[index].argument for index in indexes])
                for index, answer in zip(indexes, found, strict=True):
                    answers[index] = answer
        return answers


def _passes(error: DBAPIError) -> bool:
    """Whether it is about the database and not about what we asked. It may close a connection under any name."""
    return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated


def _blamed(error: Exception) -> Exception:
    """Whose fault it is: of what was asked for, which only its record should feel, or of anything else."""
    fault = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(error, DataError | IntegrityError) or isinstance(fault, UnicodeError | OverflowError):
        return Unstorable(f"expected values that the ledger can hold, it refused one ({type(fault).__name__})")
    return error


def _hand_over(calls: list[_Call], answers: list[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for call, answer in zip(calls, answers, strict=True):
        by_loop.setdefault(call.loop, []).append((call.future, answer))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue  # its task was cancelled
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
