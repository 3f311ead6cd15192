"""Offsets: what may be committed never passes a record that is not settled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.offsets import Offsets

gaps = st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=40)


@pytest.mark.req("INV-14")
@given(gaps=gaps, data=st.data())
def test_commit_never_passes_an_unsettled_record(gaps: list[int], data: st.DataObject) -> None:
    """Whatever the order of settling, interleaved with reading, and whatever offsets Kafka leaves out."""
    places = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    offsets, unread = Offsets(), list(places)
    unsettled: list[int] = []
    while unread or unsettled:
        read = bool(unread) and (not unsettled or data.draw(st.booleans()))
        if read:
            unsettled.append(unread.pop(0))
            offsets.opened(unsettled[-1])
        else:
            offsets.settled(unsettled.pop(data.draw(st.integers(0, len(unsettled) - 1))))
        committable = offsets.committable
        assert committable is not None
        assert all(offset >= committable for offset in unsettled)
        assert committable == (min(unsettled) if unsettled else committable)
        assert offsets.unsettled == len(unsettled)
    assert offsets.committable == places[-1] + 1


def test_nothing_read_is_nothing_to_commit() -> None:
    assert Offsets().committable is None


def test_settling_twice_changes_nothing() -> None:
    offsets = Offsets()
    offsets.opened(3)
    offsets.opened(4)
    offsets.settled(3)
    offsets.settled(3)
    assert (offsets.committable, offsets.unsettled) == (4, 1)


def test_an_offset_that_comes_again_is_refused() -> None:
    """Within one assignment a record comes once; anything else is a fault that must not stay unseen."""
    offsets = Offsets()
    offsets.opened(7)
    with pytest.raises(ValueError, match="expected an offset of at least 8, got 7"):
        offsets.opened(7)
