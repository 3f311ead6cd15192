"""What is wrong now, by merchant and subject: raised to people once, cleared when it is gone. Touches SQL and Kafka.

The ledger remembers it, so that no number of repeats, workers or restarts raises it again.
"""

import asyncio
from collections.abc import Callable, Collection

from streams.sources import telemetry
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.work import Misconfigured

ACCESS = "access"
_KEYS = {"returngo": "systems.returngo.api_key", "shopify": "systems.shopify.access_token"}


class Troubles:
    """Of one system."""

    def __init__(self, outbox: Outbox, memory: Memory, now_ms: Callable[[], int]) -> None:
        self._system = memory.system
        self._outbox = outbox
        self._memory = memory
        self._now_ms = now_ms
        self._turn = asyncio.Lock()  # two who find the same at once raise it once

    async def raised(self, kind: str, merchant: str, subject: str, detail: str) -> None:
        """Tell people, unless they were told and it was not cleared since."""
        async with self._turn:
            if kind == "misconfigured":
                telemetry.MISCONFIGURED.labels(merchant, subject).set(1)
            note = _note(subject)
            if not await self._memory.notes(merchant, [note]):
                await self._outbox.complain(kind, merchant, subject, detail, self._now_ms())
                await self._memory.keep(merchant, {note: kind})

    async def refused(self, merchant: str, asking: str, error: Misconfigured) -> None:
        """The system does not answer before somebody corrects credentials or their scope."""
        detail = (
            f"{self._system} cannot be read ({asking}): {error.detail}. Correct systems.{self._system} in the file of "
            f"merchant {merchant}, or the secret that {_KEYS.get(self._system, 'it')} names."
        )
        await self.raised("misconfigured", merchant, _access(asking, error.code), detail)

    async def answered(self, merchant: str, asking: str, *more: str) -> None:
        """It does; `more` are subjects that went through, too."""
        await self.gone(merchant, (ACCESS, f"{ACCESS} {asking}", *more), "it was read without trouble")

    async def gone(self, merchant: str, subjects: Collection[str], why: str) -> None:
        """Clear what was raised about these."""
        by_note = {_note(subject): subject for subject in subjects}
        known = await self._memory.notes(merchant, list(by_note))
        for note, kind in known.items():
            await self._outbox.clear(kind, merchant, by_note[note], why)
            if kind == "misconfigured":
                telemetry.MISCONFIGURED.labels(merchant, by_note[note]).set(0)
        if known:
            await self._memory.keep(merchant, dict.fromkeys(known))


def _access(asking: str, code: str) -> str:
    """A key that is not accepted is one trouble, whatever was asked; a scope is one for each question."""
    return ACCESS if code == "unauthorized" else f"{ACCESS} {asking}"


def _note(subject: str) -> str:
    return f"problem:{subject}"
