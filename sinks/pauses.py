"""Which merchants' system is paused, by the sinks or by a person, for one worker: a cache of what the ledger says.

May touch ledger and Kafka.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from schemas import exceptions, ids
from schemas.exceptions import ExceptionCleared
from schemas.numbers import LATEST_MS as NEVER_MS
from sinks.ledger import holds, pauses
from sinks.ledger.holds import Hold
from sinks.ledger.ledger import Ledger
from sinks.ledger.pauses import EVERY_MERCHANT, Pause
from sinks.policy import Streak, counted
from sinks.redact import redact
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry

log = structlog.get_logger()

EQUAL_REJECTIONS = "equal_rejections"
BY_A_PERSON = "by_a_person"  # the code of a hold


class Pauses:
    """Pause, ask, clear. What another worker or a person changed is seen after the next `refresh`."""

    def __init__(
        self,
        *,
        system: str,
        ledger: Ledger,
        settlement: Settlement,
        telemetry: SinkTelemetry,
        probe_seconds: float,
        equal_rejections: int,
        now_ms: Callable[[], int],
    ) -> None:
        self.system = system
        self._ledger = ledger
        self._settlement = settlement
        self._telemetry = telemetry
        self._probe_ms = int(probe_seconds * 1000)
        self._equal_rejections = equal_rejections
        self._now_ms = now_ms
        self._known: dict[str, Pause] = {}
        self._held: dict[str, Hold] = {}
        self._coming: dict[str, Pause] = {}  # known here, not yet in the ledger
        self._turn = asyncio.Lock()  # a look at the ledger and a change of it must not cross
        self._streaks: dict[str, Streak] = {}

    def of(self, merchant: str) -> Pause | None:
        """The pause that holds a merchant up; a person's word comes first."""
        held = self.held(merchant)
        return held or self._known.get(EVERY_MERCHANT) or self._known.get(merchant)

    def held(self, merchant: str) -> Pause | None:
        """The pause by a person, which no probe may look behind."""
        found = self._held.get(EVERY_MERCHANT) or self._held.get(merchant)
        if found is None:
            return None
        detail = f"{found.by}: {found.why}"
        return Pause(
            system=self.system, merchant=found.merchant, code=BY_A_PERSON, detail=detail, since_ms=found.since_ms,
            probe_ms=NEVER_MS,
        )  # fmt: skip

    @property
    def holding(self) -> frozenset[str]:
        """Merchants that a person has paused; EVERY_MERCHANT stands for all."""
        return frozenset(self._held)

    @property
    def paused(self) -> frozenset[str]:
        """Merchants that the sinks have paused; EVERY_MERCHANT stands for all."""
        return frozenset(self._known)

    async def refresh(self) -> None:
        """Learn what others paused or cleared."""
        async with self._turn:
            current, held = await self._ledger.run(
                lambda connection: (
                    pauses.current(connection, self.system), holds.current(connection, self.system)
                )
            )  # fmt: skip
            self._hold(held)
            before, self._known = self._known, {pause.merchant: pause for pause in current} | self._coming
            for merchant in before.keys() - self._known.keys():
                await self._cleared(merchant, "cleared in the ledger")
            for merchant in self._known:
                self._show(merchant, 1)

    def _hold(self, current: Sequence[Hold]) -> None:
        before, self._held = self._held, {each.merchant: each for each in current}
        for merchant in before.keys() | self._held.keys():
            self._telemetry.held.labels(self.system, merchant).set(merchant in self._held)
        for merchant in before.keys() ^ self._held.keys():
            # who says so and why is told by the exception: the words of a person have no place in a log
            log.info("held" if merchant in self._held else "released", system=self.system, merchant=merchant)

    async def pause(self, merchant: str, code: str, detail: str) -> None:
        """Pause a merchant's system and tell people; a pause that is there already is left alone."""
        if merchant in self._known:
            return
        now_ms = self._now_ms()
        pause = Pause(
            system=self.system, merchant=merchant, code=code, detail=redact(detail), since_ms=now_ms,
            probe_ms=now_ms + self._probe_ms,
        )  # fmt: skip
        # At once: commands of this merchant under way must not raise it again.
        self._known[merchant] = self._coming[merchant] = pause
        self._show(merchant, 1)
        log.error("paused", system=self.system, merchant=merchant, code=code, detail=pause.detail)
        async with self._turn:
            await self._settlement.publish_exception(
                exceptions.raised(
                    "misconfigured",
                    exception_id=self._exception_id(merchant),
                    merchant=merchant,
                    detail=f"{self.system} is paused: {code}: {pause.detail}",
                    at_ms=now_ms,
                    system=self.system,
                )
            )
            await self._ledger.do(pauses.pause, pause)
            del self._coming[merchant]

    async def due_probe(self) -> Pause | None:
        """A pause that this worker is to probe now."""
        now_ms = self._now_ms()
        return await self._ledger.run(
            lambda connection: pauses.due_probe(
                connection, system=self.system, now_ms=now_ms, next_ms=now_ms + self._probe_ms
            )
        )

    async def probe_soon(self, merchant: str) -> None:
        """What a merchant's pause is about may be mended: let the next tick of any worker probe it."""
        if merchant in self._known:
            now_ms = self._now_ms()
            await self._ledger.run(
                lambda connection: pauses.probe_at(connection, system=self.system, merchant=merchant, at_ms=now_ms)
            )

    async def clear(self, pause: Pause, why: str) -> None:
        """A probe got through: go on."""
        async with self._turn:
            if self._known.pop(pause.merchant, None) is None:
                return
            await self._cleared(pause.merchant, why)
            await self._ledger.run(
                lambda connection: pauses.clear(connection, system=self.system, merchant=pause.merchant)
            )

    async def _cleared(self, merchant: str, why: str) -> None:
        self._streaks.pop(merchant, None)
        self._show(merchant, 0)
        log.info("resumed", system=self.system, merchant=merchant, why=why)
        await self._settlement.publish_exception(
            ExceptionCleared(
                exception_id=self._exception_id(merchant),
                type="misconfigured",
                merchant=merchant,
                cleared_at_ms=self._now_ms(),
                why=why,
            )
        )

    def _exception_id(self, merchant: str) -> str:
        subject = f"sink {self.system}"
        return ids.exception_id(merchant=merchant, kind="misconfigured", order_id="", rma_id="", subject=subject)

    def _show(self, merchant: str, state: int) -> None:
        self._telemetry.paused.labels(self.system, merchant).set(state)

    def too_many(self, merchant: str, code: str) -> str | None:
        """Count a rejection. The scope to pause when it is one too many in a row: the merchant, or all of them."""
        for scope, most in ((merchant, self._equal_rejections), (EVERY_MERCHANT, 3 * self._equal_rejections)):
            self._streaks[scope] = counted(self._streaks.get(scope, Streak()), code)
            if self._streaks[scope].length > most:
                return scope
        return None

    def accepted(self, merchant: str) -> None:
        """A command of this merchant was applied: no streak."""
        self._streaks.pop(merchant, None)
        self._streaks.pop(EVERY_MERCHANT, None)


def parked_as(pause: Pause) -> str:
    """Why a lane waits, in the ledger's words."""
    return holds.HELD if pause.code == BY_A_PERSON else "paused"


def equal_rejections(code: str) -> str:
    """The pause code for too many rejections of one code."""
    return f"{EQUAL_REJECTIONS}:{code}"


def still_stands(pause: Pause, code: str) -> bool:
    """Whether a rejection of `code` during a probe is the very thing that the pause is about."""
    return pause.code == equal_rejections(code)
