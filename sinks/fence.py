"""Keeps a request that would come too late from being written. Looks at the clock it is given.

A process may be frozen at any moment, a virtual machine with all of its clocks. When it wakes, another worker may have
the command. So the clock is asked once more at the last moment: when the connection is there and the request's first
bytes are about to be written, and again before the body that completes it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.clock import steady_ms

# What httpcore reports directly before it writes; what is raised there closes the connection and is handed on.
_HEADERS = ".send_request_headers.started"
_BODY = ".send_request_body.started"


class TooLate(Exception):
    """The time in which the request might have been written is over."""


class Fence:
    """For one request: nothing of it is written once the wall clock has reached `until_ms`, nor once as much time has
    passed as there was until then, should that clock be set back."""

    def __init__(self, until_ms: int, now_ms: Callable[[], int]) -> None:
        self._until_ms = until_ms
        self._now_ms = now_ms
        self._steady_until_ms = steady_ms() + until_ms - now_ms()
        self.written = False  # its first bytes may be on their way

    @property
    def late(self) -> bool:
        return self._left_ms() <= 0

    def seconds(self, longest: float) -> float:
        """What is left of the time, at most `longest`; raises TooLate when nothing is."""
        self._check()
        return min(longest, self._left_ms() / 1000)

    def _left_ms(self) -> int:
        return min(self._until_ms - self._now_ms(), self._steady_until_ms - steady_ms())

    def _check(self) -> None:
        if self.late:
            raise TooLate("the time in which it might have been sent is over")

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """For the request's extension `trace`."""
        if event.endswith(_HEADERS):
            self._check()
            self.written = True
        elif event.endswith(_BODY):
            self._check()
