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


@given(items=st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40), data=st.data())
def test_those_that_share_run_side_by_side_and_nothing_overtakes_what_does_not(
    items: list[tuple[str, bool]], data: st.DataObject
) -> None:
    lanes: Lanes[tuple[int, str, bool]] = Lanes(most=1000, most_per_merchant=1000)
    waiting = [(number, *item) for number, item in enumerate(items)]
    running: list[tuple[int, str, bool]] = []
    began: list[tuple[int, str, bool]] = []

    def begin(item: tuple[int, str, bool]) -> None:
        assert all(item[2] and other[2] for other in running if other[1] == item[1])
        running.append(item)
        began.append(item)

    while waiting or running:
        if waiting and (not running or data.draw(st.booleans())):
            item = waiting.pop(0)
            if lanes.put(item[1], "m", item, shares=item[2]):
                begin(item)
        else:
            ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
            for following in lanes.done(ended[1], "m"):
                begin(following)
        for key in "ab":
            # Whatever could run does: what waits is kept by something that does not share.
            mine = [item for item in running if item[1] == key]
            left = [each for each in range(len(items) - len(waiting)) if items[each][0] == key]
            behind = [n for n in left if n not in {each[0] for each in began}]
            assert not (behind and items[behind[0]][1] and all(item[2] for item in mine))
    for key in "ab":
        assert [each[0] for each in began if each[1] == key] == [n for n, item in enumerate(items) if item[0] == key]
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
