"""Records on their way in and out: work, dead letters, redaction, settings, metrics."""

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from schemas.codec import Codec
from schemas.commands import Annotate
from schemas.dead_letters import plain
from sinks import dead_letter
from sinks.redact import redact
from sinks.telemetry import SinkTelemetry
from sinks.work import Received, Refused, Work, again, fingerprint, read
from tests.unit.sinks.toy import refund, restock

CODEC = Codec()


def received(key: bytes | None, value: bytes | None, *headers: tuple[str, bytes]) -> Received:
    return Received(
        topic="toy-commands", partition=1, offset=2, timestamp_ms=3, key=key, value=value, headers=tuple(headers)
    )


def test_a_command_is_work_in_the_lane_of_its_key() -> None:
    command = restock(1)
    work = read(received(b"shop|S", CODEC.encode(command)), CODEC, "toy")
    assert isinstance(work, Work)
    assert (work.command, work.arrival.key, work.received.key) == (command, "shop|S|aside 1000", b"shop|S")


def test_a_restock_may_also_come_under_its_order() -> None:
    assert isinstance(read(received(b"shop|1001", CODEC.encode(restock(1, order="1001"))), CODEC, "toy"), Work)


def test_what_may_be_left_out_waits_in_a_lane_of_its_own() -> None:
    """A comment that waits for the calls of another day must not hold up the outcome of a payment of its order."""
    mark = Annotate(
        command_id="c", merchant="shop", system="toy", order_id="1001", rma_id="R", unit_ids=(), generation=0,
        decided_at_ms=0, aspect="transaction",
    )  # fmt: skip
    lanes = set()
    for aspect in ("transaction", "comment", "status"):
        record = received(b"shop|1001", CODEC.encode(msgspec.structs.replace(mark, aspect=aspect)))
        work = read(record, CODEC, "toy")
        assert isinstance(work, Work)
        assert work.received.key == b"shop|1001"
        parked = again(work.arrival, CODEC)
        assert isinstance(parked, Work)
        assert parked.arrival.key == work.arrival.key
        lanes.add(work.arrival.key)
    assert len(lanes) == 3


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (b"shop|S", None, "expected a record in Confluent wire format"),
        (b"shop|1", b"\x00\x00\x00\x00\x01x", "schema id 1 is not one of ours"),
        (b"shop|1001", CODEC.encode(refund(1, system="other")), "expected a command for toy, got one for other"),
        (b"shop|S", CODEC.encode(refund(1)), r"expected the key b'shop|1001', got b'shop|S'"),
        (None, CODEC.encode(refund(1)), "got None"),
    ],
)
def test_what_is_no_command_for_us_says_why(key: bytes | None, value: bytes | None, said: str) -> None:
    refused = read(received(key, value), CODEC, "toy")
    assert isinstance(refused, Refused)
    assert said in refused.detail


def test_when_it_was_decided_is_no_part_of_what_a_command_asks_for() -> None:
    """A replay may decide the same at another time: the same effect."""
    command = refund(1)
    later = msgspec.structs.replace(command, decided_at_ms=command.decided_at_ms + 1)
    dearer = msgspec.structs.replace(command, amount_minor=command.amount_minor + 1)
    assert fingerprint(later) == fingerprint(command) != fingerprint(dearer)


def test_a_dead_letter_that_comes_again_keeps_when_it_was_first_seen() -> None:
    record = received(b"k", b"v", ("first-seen-ms", b"7"), ("reason", b"old"), ("own", b"x"))
    headers = dict(
        dead_letter.headers(record, stage="s", reason="new", detail="d", attempts=2, now_ms=9, command_id="")
    )
    assert (headers["first-seen-ms"], headers["reason"], headers["own"]) == (b"7", b"new", b"x")
    assert "command-id" not in headers


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to Ann.Lee+x@mail.example.co.uk now", "write to [e-mail] now"),
        ("Authorization: Bearer abc.def-1", "Authorization: [secret]"),
        ("used shpat_0123456789abcdef here", "used [secret] here"),
        ('{"token": "t0p"}', '{"token": "[secret]"}'),
        ("call +49 (30) 1234567", "call [telephone]"),
        ("order 7396218249981 line 4 of RMA-12", "order 7396218249981 line 4 of RMA-12"),
        ("gid://shopify/Order/7396218249981", "gid://shopify/Order/7396218249981"),
        ("2026-11-21 amount 100.00", "2026-11-21 amount 100.00"),
    ],
)
def test_text_for_people_holds_no_personal_data_and_no_secret(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_note_is_not_longer_than_a_note() -> None:
    assert len(redact("x" * 10_000)) == 500


def test_metrics_are_a_closed_list_named_after_the_process() -> None:
    registry = CollectorRegistry()
    SinkTelemetry(registry)
    names = sorted(metric.name.removeprefix("returnflow_sink_") for metric in registry.collect())
    assert names == [
        "attempts", "batch_commands", "batches", "breaker_state", "budget_ends_timestamp_seconds",
        "budget_left_out_calls", "budget_resets_timestamp_seconds", "buffered_commands", "command_seconds", "commands",
        "dead_letters", "held_state", "in_flight_commands", "ledger_seconds", "left_out", "oldest_unsettled_seconds",
        "parked_commands", "parked_lanes", "paused_state", "pruned", "quota_capacity_units", "quota_remaining_units",
        "quota_used", "quota_wait_seconds", "records", "request_seconds",
        "returnflow_merchant_misconfigured", "throttled",
    ]  # fmt: skip


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize(("told_ms", "came_ms"), [(7, 7), (-1, 100), (0, 100), (200, 100)])
def test_a_record_without_a_usable_time_came_now(told_ms: int, came_ms: int) -> None:
    record = msgspec.structs.replace(received(b"k", b"v"), timestamp_ms=told_ms)
    assert record.came_ms(100) == came_ms


def test_headers_without_a_value_are_empty() -> None:
    assert plain((("first-seen-ms", None), ("own", b"x"))) == (("first-seen-ms", b""), ("own", b"x"))
    assert plain(None) == ()
    record = received(None, None, ("first-seen-ms", b""), ("attempts", b"9" * 5000))
    ours = dead_letter.headers(record, stage="s", reason="r", detail="d\ud800", attempts=0, now_ms=9, command_id="")
    told = dict(ours)
    assert (told["first-seen-ms"], told["last-seen-ms"], told["error"]) == (b"3", b"9", b"d\\ud800")


@pytest.mark.parametrize("key", [b"shop|A|aside B", b"shop|toy:I-A|aside B"], ids=["as keyed before", "its item"])
def test_restocks_of_one_item_have_a_lane_for_each_order_and_come_back_under_their_own_key(key: bytes) -> None:
    lanes = []
    for number, order in ((1, "5001"), (2, "5001"), (3, "5002")):
        command = restock(number, sku="A|aside B", order=order)
        work = read(received(key, CODEC.encode(command)), CODEC, "toy")
        assert isinstance(work, Work)
        assert work.received.key == key
        assert isinstance(again(work.arrival, CODEC), Work)
        lanes.append(work.arrival.key)
    assert lanes[0] == lanes[1] != lanes[2]
