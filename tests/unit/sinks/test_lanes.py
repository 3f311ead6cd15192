"""Lanes: in order within a key, side by side across keys, bounded."""

from hypothesis import given
from hypothesis import strategies as st

from sinks.lanes import Lanes

keys = st.lists(st.sampled_from("abcd"), max_size=40)


@given(keys=keys, data=st.data())
def test_a_key_keeps_its_order_and_runs_one_at_a_time(keys: list[str], data: st.DataObject) -> None:
    lanes: Lanes[tuple[str, int]] = Lanes(most=1000, most_per_merchant=1000)
    waiting = [(key, number) for number, key in enumerate(keys)]
    running: dict[str, tuple[str, int]] = {}
    ended: list[tuple[str, int]] = []
    while waiting or running:
        if waiting and (not running or data.draw(st.booleans())):
            item = waiting.pop(0)
            if lanes.put(item[0], "m", item):
                assert item[0] not in running
                running[item[0]] = item
        else:
            key = data.draw(st.sampled_from(sorted(running)))
            ended.append(running.pop(key))
            for following in lanes.done(key, "m"):
                assert key not in running
                running[key] = following
        assert lanes.running == len(running)
    for key in "abcd":
        assert [item for item in ended if item[0] == key] == [(k, n) for n, k in enumerate(keys) if k == key]
    assert len(lanes) == 0


def test_room_is_what_is_left() -> None:
    lanes: Lanes[int] = Lanes(most=2, most_per_merchant=2)
    lanes.put("a", "m", 1)
    lanes.put("a", "m", 2)
    assert lanes.room == 0
    assert lanes.done("a", "m") == [2]
    assert lanes.room == 1


def test_a_merchant_is_crowded_at_its_share_but_not_on_a_key_that_is_here() -> None:
    """A record that would overtake another of its key must not be sent around it."""
    lanes: Lanes[int] = Lanes(most=10, most_per_merchant=2)
    lanes.put("a", "m", 1)
    assert not lanes.crowded("m", "b")
    lanes.put("b", "m", 2)
    assert lanes.crowded("m", "c")
    assert not lanes.crowded("m", "a")
    assert not lanes.crowded("n", "c")
