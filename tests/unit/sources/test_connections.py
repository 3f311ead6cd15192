"""Which connection gives way: never the newest of a crowd that waits, never one whose request is being answered."""

import pytest

from streams.sources.connections import Connections, Limits, Reason


class Sender:
    """A connection that remembers why it was ended."""

    def __init__(self) -> None:
        self.ended: list[Reason] = []

    def drop(self, reason: Reason) -> None:
        self.ended.append(reason)


def house(**limits: float) -> Connections:
    usual = {"most": 3, "most_of_peer": 3, "whole_within_seconds": 5.0, "most_bytes": 100}
    return Connections(Limits(**{**usual, **limits}))  # type: ignore[arg-type]


def opened(connections: Connections, count: int, peer: str = "p", now: float = 0.0) -> list[Sender]:
    senders = [Sender() for _ in range(count)]
    for each in senders:
        connections.opened(each, peer, now)
    return senders


def test_the_one_that_waits_longest_gives_way_to_the_newest() -> None:
    connections = house(most_of_peer=9)
    first, *others = opened(connections, 4)
    assert (first.ended, [each.ended for each in others], len(connections)) == (["crowded"], [[], [], []], 3)


def test_a_request_that_is_being_answered_is_never_ended() -> None:
    connections = house(most_of_peer=9)
    at_work, idle, _ = opened(connections, 3)
    connections.whole(at_work)
    opened(connections, 1)
    connections.sweep(1000.0)
    assert (at_work.ended, idle.ended) == ([], ["crowded"])


def test_where_all_are_at_work_the_newest_is_one_too_many() -> None:
    connections = house(most_of_peer=9)
    for each in opened(connections, 3):
        connections.whole(each)
    (newest,) = opened(connections, 1)
    assert (newest.ended, len(connections)) == (["crowded"], 3)


def test_one_peer_takes_no_more_than_its_part() -> None:
    connections = house(most=9, most_of_peer=2)
    (other,) = opened(connections, 1, peer="other")
    mine = opened(connections, 3, peer="crowd")
    assert ([each.ended for each in mine], other.ended) == ([["crowded_peer"], [], []], [])


@pytest.mark.parametrize("sent", [0, 30])
def test_what_sends_no_whole_request_in_time_is_ended(sent: int) -> None:
    connections = house()
    (slow,) = opened(connections, 1)
    if sent:
        connections.received(slow, sent)
    connections.sweep(4.9)
    early = list(slow.ended)
    connections.sweep(5.0)
    assert (early, slow.ended, len(connections)) == ([], ["slow"], 0)


def test_after_its_answer_it_waits_anew() -> None:
    connections = house()
    (kept,) = opened(connections, 1)
    connections.whole(kept)
    connections.answered(kept, 10.0)
    connections.sweep(14.9)
    early = list(kept.ended)
    connections.sweep(15.0)
    assert (early, kept.ended) == ([], ["slow"])


def test_half_sent_bodies_hold_no_more_than_the_memory_for_them() -> None:
    connections = house()
    first, second, quiet = opened(connections, 3)
    connections.received(first, 60)
    connections.received(second, 40)
    assert (first.ended, second.ended) == ([], [])
    connections.received(second, 1)
    assert (first.ended, second.ended, quiet.ended) == (["memory"], [], [])


def test_bytes_of_a_whole_request_count_no_more() -> None:
    connections = house()
    first, second = opened(connections, 2)
    connections.received(first, 90)
    connections.whole(first)
    connections.received(second, 90)
    assert (first.ended, second.ended) == ([], [])


def test_closed_by_its_sender_it_leaves_its_place() -> None:
    connections = house(most=1)
    (gone,) = opened(connections, 1)
    connections.closed(gone)
    connections.closed(gone)
    (newest,) = opened(connections, 1)
    assert (gone.ended, newest.ended, len(connections)) == ([], [], 1)
