"""Times for people, and back."""

import pytest

from ops.when import at, lasting, since
from tests.unit.ops_cli.samples import T0


def test_times_are_utc() -> None:
    assert at(T0) == "2026-01-01 00:00:00Z"
    assert at(None) == ""
    assert (at(-1), at(2**62)) == ("unknown", "after the year 9999")  # whoever wrote it had no clock, or a bad one


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_725, "1 h 2 min"),
        (86_400 * 3 + 1, "3 d"),
        (-5, "-5.0 s"),
    ],
)
def test_durations_are_told_in_two_units(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30m", T0 - 1_800_000),
        ("12h", T0 - 43_200_000),
        ("7d", T0 - 604_800_000),
        ("2026-01-01", T0),
        ("2026-01-01T02:00+02:00", T0),
    ],
)
def test_a_point_in_the_past_can_be_said_in_several_ways(text: str, ms: int) -> None:
    assert since(text, T0) == ms


@pytest.mark.parametrize("text", ["", "h", "-1h", "yesterday", "12"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="expected 30m, 12h, 7d"):
        since(text, T0)
