"""Commands of one merchant that wait a short time for each other, to go out as one request. May touch ledger, network.

Nothing is sent or written for a command while it waits: when its worker stops, it was never there.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from schemas.commands import Command
from schemas.merchant import Merchant
from sinks.attempt import ClaimLost
from sinks.claim import ClaimTimes, InHand
from sinks.contract import Batching, Change
from sinks.dispatch import Dispatch, End, Ended
from sinks.ledger.batches import Member
from sinks.outcomes import AlreadyApplied, Applied, Outcome, Rejected


class Waiting:
    """A command in a window."""

    def __init__(self, hand: InHand, change: Change) -> None:
        self.hand = hand
        self.change = change
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def member(self) -> Member:
        return Member(command_id=self.hand.work.command.command_id, holder=self.hand.holder)


class Window:
    """Those of a merchant that go out together."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self._all: list[Waiting] = []

    def add(self, hand: InHand, change: Change) -> Waiting:
        """One more."""
        waiting = Waiting(hand, change)
        self._all.append(waiting)
        return waiting

    @property
    def targets(self) -> int:
        """How many changes they come to."""
        return len({each.change.target for each in self.left})

    @property
    def left(self) -> list[Waiting]:
        """Those without an answer. Who was stopped while it waited has one."""
        return [each for each in self._all if not each.answer.done()]

    def lose(self, lost: frozenset[str]) -> None:
        """Commands that other workers have now."""
        for each in self.left:
            if each.member.command_id in lost:
                each.answer.set_exception(ClaimLost(each.member.command_id))

    def ended(self, task: "asyncio.Task[End | None]") -> None:
        """The end of the task that sent them is the end of each."""
        for each in self.left:
            if task.cancelled():
                each.answer.cancel()
            elif (error := task.exception()) is not None:
                each.answer.set_exception(error)
            elif (end := task.result()) is not None:
                each.answer.set_result(outcome(end, each.change))


def outcome(end: End, change: Change) -> Outcome:
    """What the end of a batch means for one of its changes."""
    if not isinstance(end, Ended):
        return end
    if change.target not in end.applied.moved:
        detail = f"the system accepted batch {end.batch_id} and changed nothing at {' '.join(change.target)}"
        return Rejected(code="stock_drift", detail=detail)
    made = AlreadyApplied if end.before else Applied
    return made(external_ids=end.applied.external_ids, quantity=change.quantity)


class Batches:
    """One worker's windows, and the batches that it sends again."""

    def __init__(
        self, *, system: str, dispatch: Dispatch, batching: Batching, merchants: Mapping[str, Merchant],
        times: ClaimTimes,
    ) -> None:  # fmt: skip
        self._system = system
        self._dispatch = dispatch
        self._batching = batching
        self._merchants = merchants
        self._longest_seconds = times.claim_ms / 2000  # a claim must outlast the wait
        self._windows: dict[str, Window] = {}
        self._repeats: dict[str, asyncio.Task[End]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def waiting(self) -> list[Waiting]:
        """Commands that wait for others."""
        return [each for window in self._windows.values() for each in window.left]

    def takes(self, command: Command) -> bool:
        """Whether a command may wait for others, if nothing speaks against it: then its lane need not wait for it."""
        return self._seconds(command.merchant) > 0 and self._batching.change(command) is not None

    def _seconds(self, merchant: str) -> float:
        known = self._merchants.get(merchant)
        return 0.0 if known is None else min(known.batch_seconds(self._system), self._longest_seconds)

    async def join(self, hand: InHand, change: Change) -> Outcome:
        """Wait for others, go out with them."""
        merchant = hand.work.command.merchant
        window = self._windows.get(merchant)
        if window is None:
            window = self._windows[merchant] = Window()
            self._start(self._collect(merchant, window)).add_done_callback(window.ended)
        waiting = window.add(hand, change)
        if window.targets >= self._batching.most:
            self._close(merchant)
        return await waiting.answer

    async def again(self, command: Command, batch_id: str) -> Outcome:
        """What became of the batch that a command is bound to; for many that ask at once it is sent once."""
        repeat = self._repeats.get(batch_id)
        if repeat is None:
            repeat = self._repeats[batch_id] = self._start(self._dispatch.repeat(batch_id))
            repeat.add_done_callback(lambda _: self._repeats.pop(batch_id, None))
        end = await asyncio.shield(repeat)
        change = self._batching.change(command)
        if change is None:
            raise TypeError(
                f"expected a command that can be batched in batch {batch_id}, got a {type(command).__name__}"
            )
        return outcome(end, change)

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its commands have it, as far as they still wait; asyncio need not tell of it

    def _close(self, merchant: str) -> None:
        window = self._windows.pop(merchant, None)
        if window is not None:
            window.closed.set()

    async def _collect(self, merchant: str, window: Window) -> End | None:
        try:
            await asyncio.wait_for(window.closed.wait(), self._seconds(merchant))
        except TimeoutError:
            if self._windows.get(merchant) is window:
                self._close(merchant)
        batch_id = str(uuid.uuid4())
        while left := window.left:
            opened = await self._dispatch.open(
                merchant, batch_id, [each.member for each in left], [each.change for each in left]
            )
            if isinstance(opened, frozenset):
                window.lose(opened)
                continue
            for each in left:
                each.hand.sent.effect_ms = opened.since_ms
                each.hand.ours = opened.ours
            return await self._dispatch.send(opened)
        return None

    def flush(self) -> None:
        """Send what waits; nobody is waited for any longer."""
        for merchant in list(self._windows):
            self._close(merchant)

    async def end(self) -> None:
        """Stop. What was sent and not answered stays open for whoever is next."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Seat:
    """One command's way into a batch; see sinks.attempt.Together. `joined` is called when it waits for others."""

    def __init__(self, batches: Batches | None, hand: InHand, joined: Callable[[], None] | None) -> None:
        self._batches = batches
        self._hand = hand
        self._joined = joined

    @property
    def may_join(self) -> bool:
        if self._batches is None or self._joined is None or self._hand.claimed.alone:
            return False
        return self._batches.takes(self._hand.work.command)

    async def join(self, change: Change) -> Outcome:
        """Go out with others."""
        assert self._batches is not None
        assert self._joined is not None
        self._hand.waits = True
        self._joined()
        return await self._batches.join(self._hand, change)

    async def again(self, batch_id: str) -> Outcome:
        """What became of its batch."""
        if self._batches is None:
            raise LookupError(f"expected a system that takes batches, since the command is bound to batch {batch_id}")
        return await self._batches.again(self._hand.work.command, batch_id)
