"""A dead letter tells where it is from and why; what may be personal stays hidden unless asked for."""

import pytest

from ops.deadletters import content, summary
from schemas import topics
from schemas.dead_letters import plain
from tests.unit.ops_cli.samples import CODEC, T0, delivery, problem, record, seen

HEADERS = (
    ("trace", b"\xff"),
    ("source-topic", b"shopify-commands"),
    ("source-partition", b"3"),
    ("source-offset", b"4711"),
    ("reason", b"rejected_by_system"),
    ("error", b"no such location"),
    ("attempts", b"2"),
)
PERSONAL = "customer.1001@example.com"


def test_all_dead_letter_topics_are_known() -> None:
    assert set(topics.DEAD_LETTERS) == {topics.dead_letters(name) for name in (*topics.SYSTEMS, *topics.AGENTS)}


@pytest.mark.req("EXC-6")
def test_the_summary_comes_from_the_headers() -> None:
    found = summary(seen(b"xyz", topic="shopify-dead-letters", offset=9, headers=HEADERS))
    assert (found.topic, found.partition, found.offset, found.at_ms) == ("shopify-dead-letters", 0, 9, T0)
    assert (found.reason, found.error) == ("rejected_by_system", "no such location")
    assert (found.source, found.attempts, found.size) == ("shopify-commands/3/4711", 2, 3)


def test_a_record_without_our_headers_is_shown_all_the_same() -> None:
    found = summary(seen(None, topic="cases-dead-letters"))
    assert (found.reason, found.source, found.attempts, found.size) == ("unknown", "", None, 0)


@pytest.mark.req("EXC-6")
def test_a_decodable_record_is_shown_field_by_field() -> None:
    found = content(record(problem("e1"), topic="cases-dead-letters", headers=HEADERS), CODEC, raw=False)
    assert found.record == "ExceptionRaised"
    assert found.fields is not None
    assert found.fields["detail"] == "no such place: B7"
    assert found.headers["trace"] == "\\xff"


@pytest.mark.req("OPS-10")
def test_the_body_of_a_webhook_is_only_shown_on_request() -> None:
    letter = record(delivery(), topic="shopify-dead-letters")
    hidden, shown = content(letter, CODEC, raw=False), content(letter, CODEC, raw=True)
    assert PERSONAL not in repr(hidden)
    assert "Customer 1001" not in repr(hidden)
    assert hidden.hidden is not None
    assert hidden.fields is not None
    assert hidden.fields["delivery_id"] == "d1"
    assert hidden.fields["headers"] == ["x-customer"]
    assert PERSONAL in repr(shown)
    assert shown.hidden is None


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    ("source", "visible"),
    [
        (b"shopify-commands", True),
        (b"return-events", True),
        (b"shopify-deliveries", False),
        (b"shopify-dead-letters", False),
        (b"no-topic-of-ours", False),
        (None, False),
    ],
)
def test_bytes_are_previewed_only_where_no_webhook_can_be_among_them(source: bytes | None, visible: bool) -> None:
    headers = (("source-topic", source),) if source else ()
    letter = seen(PERSONAL.encode(), topic="shopify-dead-letters", headers=headers)
    found = content(letter, CODEC, raw=False)
    assert (found.preview is not None) is visible
    assert (found.hidden is None) is visible
    assert found.why_undecodable == "expected magic byte 0 at the start, got 99"
    assert content(letter, CODEC, raw=True).preview == PERSONAL.encode().hex(" ")


@pytest.mark.req("EXC-6")
def test_headers_without_a_value_or_with_no_number_are_shown_all_the_same() -> None:
    headers = plain((("reason", None), ("attempts", b"9" * 5000), ("source-topic", None), ("error", b"\xff")))
    found = summary(seen(None, topic="cases-dead-letters", headers=headers))
    assert (found.reason, found.source, found.attempts, found.error) == ("", "", None, "\\xff")
    assert content(seen(None, topic="cases-dead-letters", headers=headers), CODEC, raw=False).headers["reason"] == ""
