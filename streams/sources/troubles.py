"""What is wrong now, by merchant and subject: raised to people once, cleared when it is gone. Touches SQL and Kafka.

The ledger remembers it, so that no number of repeats, workers or restarts raises it again.
"""

import asyncio
from collections.abc import Callable, Collection

from streams.sources.memory import Memory
from streams.sources.publishing import Outbox


class Troubles:
    """Of one system."""

    def __init__(self, outbox: Outbox, memory: Memory, now_ms: Callable[[], int]) -> None:
        self._outbox = outbox
        self._memory = memory
        self._now_ms = now_ms
        self._turn = asyncio.Lock()  # two who find the same at once raise it once

    async def raised(self, kind: str, merchant: str, subject: str, detail: str) -> None:
        """Tell people, unless they were told and it was not cleared since."""
        async with self._turn:
            note = _note(subject)
            if not await self._memory.notes(merchant, [note]):
                await self._outbox.complain(kind, merchant, subject, detail, self._now_ms())
                await self._memory.keep(merchant, {note: kind})

    async def gone(self, merchant: str, subjects: Collection[str], why: str) -> None:
        """Clear what was raised about these."""
        by_note = {_note(subject): subject for subject in subjects}
        known = await self._memory.notes(merchant, list(by_note))
        for note, kind in known.items():
            await self._outbox.clear(kind, merchant, by_note[note], why)
        if known:
            await self._memory.keep(merchant, dict.fromkeys(known))


def _note(subject: str) -> str:
    return f"problem:{subject}"
