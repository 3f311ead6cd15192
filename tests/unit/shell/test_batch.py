"""Deciding a batch: a pure step, tested with a dict and a list."""

import importlib.metadata
from collections.abc import Sequence

import msgspec
import pytest

from schemas.dead_letters import ERROR
from streams.shell.batch import Decider, TooManyUnexpected, Work
from streams.shell.contract import Decided, Output, Record, Undecodable


class AddingCore:
    """State = sum of the numbers of a key; a row is its decimal text, the due time of a row is the sum in seconds."""

    def __init__(self) -> None:
        self.loaded: list[bytes] = []

    def load(self, row: bytes) -> int:
        self.loaded.append(row)
        return int(row)

    def dump(self, state: int) -> bytes:
        if state == 666:
            raise ZeroDivisionError("row with personal data")
        return b"%d" % state if state < 1000 else b"9" * state

    def due(self, row: bytes) -> int | None:
        return int(row) * 1000

    def decide(self, state: int | None, record: Record) -> Decided[int]:
        match record.value:
            case b"?":
                raise Undecodable("undecodable", "expected a number")
            case b"!":
                raise KeyError("jane@example.org")
            case b"0":
                return Decided(state=state, outputs=(said(record, b"same"),), due_ms=5)
            case b"x":
                return Decided(state=None)
            case b"huge":
                return Decided(state=1, outputs=(said(record, b"y" * 101),))
        new = (state or 0) + int(record.value or b"")
        return Decided(state=new, outputs=(said(record, b"sum %d" % new),), due_ms=new * 1000)

    def reached(self, key: bytes, state: int, due_ms: int) -> Output | None:
        return None

    def refused(self, record: Record, reason: str, error: str) -> Sequence[Output]:
        if record.headers == (("refuse", b"badly"),):
            raise RuntimeError
        return (Output(topic="exceptions", key=record.key, value=reason.encode()),)


EMPTY: dict[bytes, bytes] = {}


def said(record: Record, value: bytes) -> Output:
    return Output(topic="sums", key=record.key, value=value)


def record(key: bytes, value: bytes, offset: int = 0, headers: tuple[tuple[str, bytes], ...] = ()) -> Record:
    return Record(topic="numbers", partition=3, offset=offset, timestamp_ms=77, key=key, value=value, headers=headers)


def decider(core: AddingCore | None = None, *, unexpected_limit: int = 3, max_bytes: int = 100) -> Decider[int]:
    return Decider(
        core or AddingCore(), "dead-{}".format, unexpected_limit=unexpected_limit, max_bytes=max_bytes, clock=lambda: 99
    )


def decide(*records: Record, rows: dict[bytes, bytes] | None = None) -> Work:
    return decider().decide(records, (rows or {}).get)


def sums(work: Work) -> list[tuple[bytes, bytes | None]]:
    return [(output.key, output.value) for output in work.outputs if output.topic == "sums"]


def letters(work: Work) -> list[tuple[str, bytes, bytes | None]]:
    return [(output.topic, output.key, output.value) for output in work.outputs if output.topic.startswith("dead-")]


def test_a_key_is_loaded_once_and_written_once() -> None:
    core = AddingCore()
    records = [record(b"a", b"1"), record(b"b", b"5"), record(b"a", b"2")]
    work = decider(core).decide(records, {b"a": b"10"}.get)
    assert core.loaded == [b"10"]
    assert work.rows == {b"a": b"13", b"b": b"5"}
    assert work.dues == {b"a": 13_000, b"b": 5_000}
    assert sums(work) == [(b"a", b"sum 11"), (b"b", b"sum 5"), (b"a", b"sum 13")]
    assert work.added == 1


def test_an_unchanged_state_writes_no_row_but_sends_its_outputs() -> None:
    work = decide(record(b"a", b"0"), rows={b"a": b"10"})
    assert work.rows == {}
    assert sums(work) == [(b"a", b"same")]
    assert work.dues == {b"a": 5}


def test_an_unchanged_state_after_a_change_keeps_the_change() -> None:
    work = decide(record(b"a", b"1"), record(b"a", b"0"))
    assert work.rows == {b"a": b"1"}


def test_no_state_deletes_the_row() -> None:
    work = decide(record(b"a", b"x"), record(b"b", b"1"), record(b"b", b"x"), rows={b"a": b"10"})
    assert work.rows == {b"a": None, b"b": None}
    assert work.dues == {b"a": None, b"b": None}
    assert work.added == -1


def test_deleting_what_is_not_there_writes_nothing() -> None:
    assert decide(record(b"a", b"x")).rows == {}


@pytest.mark.req("EXC-6")
def test_an_undecodable_record_is_dead_lettered_and_its_neighbours_go_on() -> None:
    work = decide(record(b"a", b"1"), record(b"a", b"?"), record(b"a", b"2"))
    assert letters(work) == [("dead-numbers", b"a", b"?")]
    assert sums(work) == [(b"a", b"sum 1"), (b"a", b"sum 3")]
    assert work.rows == {b"a": b"3"}
    assert work.refused == ["undecodable"]
    assert [output.value for output in work.outputs if output.topic == "exceptions"] == [b"undecodable"]


@pytest.mark.req("EXC-6", "OPS-10")
def test_an_unexpected_failure_is_dead_lettered_without_the_text_of_the_exception() -> None:
    work = decide(record(b"a", b"1"), record(b"a", b"!"), record(b"a", b"2"))
    assert letters(work) == [("dead-numbers", b"a", b"!")]
    error = dict(work.outputs[1].headers)[ERROR]
    assert error.startswith(b"KeyError at test_batch.py:")
    assert work.rows == {b"a": b"3"}


def test_a_row_that_cannot_be_read_dead_letters_its_records_only() -> None:
    work = decide(record(b"a", b"1"), record(b"b", b"1"), rows={b"a": b"broken"})
    assert letters(work) == [("dead-numbers", b"a", b"1")]
    assert work.rows == {b"b": b"1"}


@pytest.mark.parametrize(
    ("value", "reason"), [(b"666", "unexpected"), (b"1001", "too_large"), (b"huge", "too_large")]
)  # fmt: skip
def test_a_key_whose_row_or_output_cannot_be_written_is_refused_as_a_whole(value: bytes, reason: str) -> None:
    work = decide(record(b"a", value), record(b"b", b"1"), record(b"a", b"0"))
    assert work.rows == {b"b": b"1"}
    assert work.dues == {b"b": 1_000}
    assert sums(work) == [(b"b", b"sum 1")]
    assert letters(work) == [("dead-numbers", b"a", value), ("dead-numbers", b"a", b"0")]
    assert work.refused == [reason, reason]


@pytest.mark.parametrize("bad", [b"?", b"!"])
def test_a_record_that_was_set_aside_is_counted_once_even_if_its_key_is_refused_as_a_whole(bad: bytes) -> None:
    work = decide(record(b"a", bad, 1), record(b"a", b"1001", 2), record(b"a", bad, 3))
    assert sorted(letters(work)) == sorted(("dead-numbers", b"a", each) for each in (bad, b"1001", bad))
    why = {b"?": "undecodable", b"!": "unexpected"}[bad]
    assert sorted(work.refused) == sorted([why, "too_large", why])
    said = [output.value for output in work.outputs if output.topic == "exceptions"]
    assert sorted(each.decode() for each in said if each) == sorted(work.refused)
    assert work.rows == {}


def test_a_large_original_leaves_as_a_dead_letter() -> None:
    large = b"?" + b"z" * 500
    work = decide(record(b"a", large))
    assert letters(work) == [("dead-numbers", b"a", large)]


def test_a_record_without_a_key_is_dead_lettered() -> None:
    work = decide(record(b"", b"1"))
    assert work.refused == ["no_key"]
    assert work.rows == {}


def test_unexpected_failures_in_a_row_end_it_over_several_batches() -> None:
    ours = decider()
    ours.decide([record(b"a", b"!"), record(b"b", b"!")], EMPTY.get)
    with pytest.raises(TooManyUnexpected, match="3 unexpected failures in a row, the last one KeyError at"):
        ours.decide([record(b"c", b"!")], EMPTY.get)


def test_rows_that_cannot_be_written_end_it_although_deciding_succeeds() -> None:
    ours = decider()
    for key in (b"a", b"b"):
        ours.decide([record(key, b"666")], EMPTY.get)
    with pytest.raises(TooManyUnexpected, match="ZeroDivisionError at"):
        ours.decide([record(b"c", b"666")], EMPTY.get)


def test_a_good_record_breaks_the_row_of_failures() -> None:
    work = decide(*[record(b"a", value) for value in (b"!", b"!", b"1", b"!", b"!")])
    assert work.refused == ["unexpected"] * 4


def test_undecodable_records_never_end_the_process() -> None:
    assert decide(*[record(b"a", b"?")] * 50).refused == ["undecodable"] * 50


def test_the_dead_letter_leaves_even_when_the_core_cannot_say_more() -> None:
    work = decide(record(b"a", b"?", headers=(("refuse", b"badly"),)))
    assert letters(work) == [("dead-numbers", b"a", b"?")]


@pytest.mark.req("EXC-6")
def test_a_dead_letter_says_where_it_comes_from() -> None:
    (letter, _) = decide(record(b"a", b"?", offset=42, headers=(("trace", b"t1"),))).outputs
    assert dict(letter.headers) == {
        "trace": b"t1",
        "source-topic": b"numbers",
        "source-partition": b"3",
        "source-offset": b"42",
        "source-timestamp-ms": b"77",
        "stage": b"decide",
        "reason": b"undecodable",
        "error": b"expected a number",
        "attempts": b"1",
        "first-seen-ms": b"77",
        "last-seen-ms": b"99",
        "version": importlib.metadata.version("returnflow").encode(),
    }


def test_a_resubmitted_dead_letter_keeps_its_first_time_and_counts_up() -> None:
    before = (("attempts", b"2"), ("first-seen-ms", b"11"), ("reason", b"old"))
    headers = decide(record(b"a", b"?", headers=before)).outputs[0].headers
    assert dict(headers)["attempts"] == b"3"
    assert dict(headers)["first-seen-ms"] == b"11"
    assert [value for name, value in headers if name == "reason"] == [b"undecodable"]


@pytest.mark.parametrize("number", [b"", b"-1", b"many", b"9" * 5000, "\u0663".encode()])
def test_headers_that_hold_no_number_of_ours_count_for_nothing(number: bytes) -> None:
    before = (("attempts", number), ("first-seen-ms", number))
    headers = dict(decide(record(b"a", b"?", headers=before)).outputs[0].headers)
    assert (headers["attempts"], headers["first-seen-ms"]) == (b"1", b"77")


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize("written_ms", [-1, 0, 100, 2**62])
def test_what_has_no_time_or_one_to_come_was_first_seen_when_it_was_set_aside(written_ms: int) -> None:
    class Dated(AddingCore):
        def refused(self, record: Record, reason: str, error: str) -> tuple[Output, ...]:
            return (Output(topic="exceptions", key=record.key, value=b"%d" % record.timestamp_ms),)

    timeless = msgspec.structs.replace(record(b"a", b"?"), timestamp_ms=written_ms)
    letter, told = decider(Dated()).decide([timeless], EMPTY.get).outputs
    headers = dict(letter.headers)
    assert (headers["first-seen-ms"], told.value) == (b"99", b"99")
    assert headers["source-timestamp-ms"] == b"%d" % written_ms
