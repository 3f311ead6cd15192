"""How a child fares, from what it answers: pure, time comes in as an argument.

Two questions, as an orchestrator asks them. Does it live (`/health`)? One that does not, for long, is restarted. Does
it serve (`/ready`)? One that does not is told and left alone: mostly it waits for something else, and everything that
waits for one frozen broker must not be restarted along with it.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

Answer = Literal["starting", "ready", "not ready", "hangs"]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with serving and with living, in words; None: nothing."""

    serves: str | None = None
    lives: str | None = None


Ask = Callable[[], Heard]


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, but for `asks`."""

    again: float = 2.0  # between two questions to one that serves
    told: float = 5.0  # not serving for so long is told
    hangs: float = 30.0  # not living for so long is a hang
    starts: float = 180.0  # so long a new one need not live yet
    asks: int = 3  # at the least before a hang: when we were frozen ourselves, time says nothing
    ends: float = 20.0  # one that hangs has so long to end by itself
    apart: float = 10.0  # between two restarts of hanging ones: a machine out of breath must not lose all at once


USUAL = Patience()


class Fitness:
    """Of one run of one child."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._limit = patience.starts  # until it has lived once
        self._failing_since: float | None = None
        self._silent_since: float | None = None
        self._silent_asks = 0
        self.state: Answer = "starting"
        self.why = ""

    def heard(self, heard: Heard, now: float) -> Answer:
        """Its state from now on; `why` says what is wrong."""
        self._live(heard, now)
        self.why = heard.serves or ""
        if heard.serves is None:
            self._failing_since, self.state = None, "ready"
            return self.state
        if self._failing_since is None:
            self._failing_since = now
        if self._hangs(now):
            self.state, self.why = "hangs", heard.lives or ""
        elif self.state == "ready" and now - self._failing_since >= self._patience.told:
            self.state = "not ready"
        return self.state

    def _live(self, heard: Heard, now: float) -> None:
        if heard.serves is None or heard.lives is None:
            self._limit, self._silent_since, self._silent_asks = self._patience.hangs, None, 0
        else:
            self._silent_since = now if self._silent_since is None else self._silent_since
            self._silent_asks += 1

    def _hangs(self, now: float) -> bool:
        if self._silent_since is None or self._silent_asks < self._patience.asks:
            return False
        return now - self._silent_since >= self._limit
