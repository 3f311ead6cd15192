"""The turn of a command among those of its lane that may run side by side: they begin one after the other."""

import asyncio
from types import TracebackType
from typing import Self


class Turn:
    """Held from the first attempt until the command waits for others, or has ended; taken again for the next attempt.

    What a flow reads before it writes (which units of a line are still to be put back) must not change under it.
    """

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._held = False

    async def __aenter__(self) -> Self:
        await self.take()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.give()

    async def take(self) -> None:
        """Wait for it, in order; nothing happens where it is held already."""
        if not self._held:
            await self._lock.acquire()
            self._held = True

    def give(self) -> None:
        """Let the next one of the lane begin."""
        if self._held:
            self._held = False
            self._lock.release()
