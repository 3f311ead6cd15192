"""Works off the reads that consumed records asked for, and settles the records. Touches what the desk touches."""

import asyncio
from collections.abc import Callable, Collection, Iterable

import structlog

from schemas.clock import steady_ms
from streams.sources import telemetry
from streams.sources.desk import Desk
from streams.sources.pending import Pending, Waiting
from streams.sources.progress import Progress
from streams.sources.work import Place, Unread, Wanted

log = structlog.get_logger(__name__)
AT_ONCE = 8  # per merchant: one that is down holds up no other
LONGEST_WAIT_MS = 60_000
# A quota that is used up for longer than this is the day's: news is left to the polls then.
SHORT_WAIT_SECONDS = 120.0


class Signals:
    """The queue between the consumer and the desk. Its waits are measured by the steady clock."""

    def __init__(self, system: str, desk: Desk, progress: Progress, now_ms: Callable[[], int] = steady_ms) -> None:
        self._desk = desk
        self._progress = progress
        self._now_ms = now_ms
        self._pending: dict[str, Pending] = {}
        self._awake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        telemetry.PENDING.labels(system).set_function(lambda: sum(map(len, self._pending.values())))

    def add(self, wanted: Iterable[Wanted], place: Place) -> None:
        """Reads that settle the record at `place` once they are all done."""
        for each in wanted:
            self._pending.setdefault(each.resource.merchant, Pending()).add(each, place, self._now_ms())
        self._awake.set()

    def revoked(self, partitions: Collection[tuple[str, int]]) -> None:
        """Forget the records of partitions that went to another worker."""
        for pending in self._pending.values():
            pending.forget(partitions)

    async def run(self) -> None:
        """Until cancelled; reads under way are finished by `drain`. Raises what a bug made a read raise."""
        while self._broken is None:
            for pending in self._pending.values():
                for waiting in pending.take(self._now_ms(), AT_ONCE - pending.under_way):
                    self._begin(pending, waiting)
            await self._until_next()
        raise self._broken  # the process ends; its records stay uncommitted and are read again

    def _begin(self, pending: Pending, waiting: Waiting) -> None:
        task = asyncio.create_task(self._work(pending, waiting))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    async def drain(self, within_seconds: float) -> None:
        """Give reads under way the time to end; what does not is read again by whoever consumes the record next."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within_seconds)
            for task in late:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._awake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error

    async def _until_next(self) -> None:
        due = [
            at for each in self._pending.values() if each.under_way < AT_ONCE and (at := each.next_due_ms()) is not None
        ]
        wait = max((min(due) - self._now_ms()) / 1000, 0.005) if due else None
        try:
            async with asyncio.timeout(wait):
                await self._awake.wait()
        except TimeoutError:
            return
        self._awake.clear()

    async def _work(self, pending: Pending, waiting: Waiting) -> None:
        try:
            await self._desk.read(waiting.resource, waiting.urgency, waiting.cause)
        except Unread as error:
            if not _left_to_polls(waiting, error):
                pending.again(waiting, self._now_ms() + wait_ms(waiting.attempts, error.after_seconds))
                return
            log.info("left_to_polls", resource=str(waiting.resource), merchant=waiting.resource.merchant)
        pending.done(waiting)
        for place in waiting.places:
            self._progress.settled(place)


def wait_ms(attempts: int, after_seconds: float | None) -> int:
    """Before the next try: what the system says, else doubling from half a second; never longer than a minute."""
    wanted = 500 * 2 ** min(attempts, 10) if after_seconds is None else int(after_seconds * 1000) + 100
    return min(wanted, LONGEST_WAIT_MS)


def _left_to_polls(waiting: Waiting, error: Unread) -> bool:
    return waiting.urgency == "news" and error.after_seconds is not None and error.after_seconds > SHORT_WAIT_SECONDS
