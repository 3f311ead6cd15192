"""One message again and again: the first is logged, the others are counted and told once a minute. Pure.

Two messages are the same when all they say is the same, but for what differs by nature: how long something took, object
addresses, numbers of tasks. So nothing that is said once is ever held back.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

WINDOW_SECONDS = 60.0
MOST_KINDS = 5_000  # beyond this a message is let through uncounted
_ASIDE = frozenset({"timestamp", "process", "level"})
_PASSING = (
    re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|µs|s|sec|seconds?|minutes?)\b"),
    re.compile(r"\b0x[0-9a-fA-F]+\b"),
    re.compile(r"\b(?:Task|Thread)-\d+\b"),
    re.compile(r"\b\d+ identical error\(s\) suppressed"),
    re.compile(r"\bcorrelation.?id:? ?\d+", re.IGNORECASE),
)

Kind = tuple[str, ...]


class _Window(msgspec.Struct):
    """Of one kind. `event` is its first message; `times` were held back since `began`."""

    event: dict[str, Any]
    began: float
    times: int = 0


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """What was held back of a kind since it was told last."""

    event: dict[str, Any]
    times: int


class Storm:
    """Of one process; times are of a steady clock, in seconds. Whoever calls it from several threads holds a lock."""

    def __init__(self) -> None:
        self._windows: dict[Kind, _Window] = {}

    def admit(self, event: Mapping[str, Any], now: float) -> bool:
        """Whether it is to be logged; else it is counted."""
        kind = kind_of(event)
        window = self._windows.get(kind)
        if window is not None:
            window.times += 1
            return False
        if len(self._windows) < MOST_KINDS:
            self._windows[kind] = _Window(event={n: v for n, v in event.items() if n != "exc_info"}, began=now)
        return True

    def over(self, now: float, *, all_of_them: bool = False) -> list[Repeated]:
        """What is to be told of kinds whose window is over. One that had no repeat is forgotten: it is news again."""
        found = []
        for kind, window in list(self._windows.items()):
            if not all_of_them and now - window.began < WINDOW_SECONDS:
                continue
            if window.times:
                found.append(Repeated(event=window.event, times=window.times))
                window.began, window.times = now, 0
            else:
                del self._windows[kind]
        return found


def kind_of(event: Mapping[str, Any]) -> Kind:
    """What makes two messages the same."""
    said = [f"{name}={_lasting(value)}" for name, value in sorted(event.items()) if name not in _ASIDE]
    return (str(event.get("level", "")), *said)


def _lasting(value: object) -> str:
    if isinstance(value, float):
        return ""  # a measurement
    text = str(value)
    for each in _PASSING:
        text = each.sub("…", text)
    return text
