"""Tests that are played side by side: a pipeline waits most of the time, and so would a suite that asks it in turn."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from tests.e2e.world import World

Play = Callable[[World], None]
MOST_SECONDS = 540.0


class Day:
    """Every played test in a thread of its own; each ends as it would have ended alone."""

    def __init__(self, world: World, plays: Iterable[Play]) -> None:
        wanted = list(plays)
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(wanted)))
        self._ends: dict[Play, Future[None]] = {play: self._pool.submit(play, world) for play in wanted}

    def ended(self, play: Play) -> None:
        """Wait for one; raises what it raised."""
        self._ends[play].result(MOST_SECONDS)

    def over(self) -> int:
        """Wait for all of them, whatever their ends; how many there were."""
        wait(self._ends.values(), MOST_SECONDS)
        return len(self._ends)

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def played(play: Play) -> Callable[[Day], None]:
    """Decorator: the body gets the world and runs beside all others; the test reports how it ended."""

    def test(day: Day) -> None:
        day.ended(play)

    test.__name__, test.__doc__, test.__module__ = play.__name__, play.__doc__, play.__module__
    PLAYS[test] = play
    return test


PLAYS: dict[object, Play] = {}
