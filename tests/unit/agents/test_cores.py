"""The agents' cores: bytes in, bytes out, keys and merchants checked, rows and deadlines kept."""

import pytest
from msgspec.structs import replace

from schemas import ids, topics
from schemas.codec import Codec
from schemas.commands import Refund
from schemas.exceptions import ExceptionRaised
from schemas.facts import DeadlineReached
from schemas.journal import CaseStep
from schemas.stock import RestockIntent, RestockVerdict, row_key
from schemas.working_hours import HOUR_MS
from streams.agents.cases import Cases
from streams.agents.edge import Edge
from streams.agents.stock import Stock
from streams.domain.learn import Fact
from streams.domain.state import Case
from streams.shell.contract import Output, Record, Undecodable
from tests.unit.domain.factories import MERCHANT, ORDER, asked, at, inspected, item, order, rules, unit

CODEC = Codec()
KEY = ids.order_key(MERCHANT, ORDER)
FOREIGN = ids.order_key("nobody", ORDER)


def edge() -> Edge:
    return Edge(CODEC, {MERCHANT: rules()})


def record(topic: str, value: bytes | None, key: bytes = KEY, offset: int = 7) -> Record:
    return Record(topic=topic, partition=3, offset=offset, timestamp_ms=at(9), key=key, value=value)


def decoded(outputs: object) -> list[object]:
    assert isinstance(outputs, list)
    return [CODEC.decode(o.value) for o in outputs if isinstance(o, Output)]


def decide_all(core: Cases) -> tuple[Case | None, list[object]]:
    case, told = None, []
    facts: list[Fact] = [order(), *asked(unit()), inspected(unit())]
    for offset, fact in enumerate(facts):
        topic = topics.ORDER_SNAPSHOTS if offset == 0 else topics.RETURN_EVENTS
        made = core.decide(case, record(topic, CODEC.encode(fact), offset=offset))
        case = made.state
        told += decoded(list(made.outputs))
    return case, told


@pytest.mark.req("OPS-1", "OPS-2")
def test_facts_in_bytes_become_commands_in_bytes() -> None:
    _, told = decide_all(Cases(edge()))
    assert [r.amount_minor for r in told if isinstance(r, Refund)] == [1000]
    assert len([r for r in told if isinstance(r, RestockIntent)]) == 1


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize(("ahead", "got"), [(HOUR_MS, "2"), (10**12, "20")])
def test_what_is_dated_after_it_was_told_is_set_aside_with_both_times(ahead: int, got: str) -> None:
    core, told_ms = Cases(edge()), at(9)
    late = replace(inspected(unit()), occurred_at_ms=told_ms + 24 * HOUR_MS)
    core.decide(None, record(topics.RETURN_EVENTS, CODEC.encode(late)))  # zones and clocks may be wrong
    future = record(topics.RETURN_EVENTS, CODEC.encode(replace(late, occurred_at_ms=late.occurred_at_ms + ahead)))
    with pytest.raises(Undecodable, match=f"expected a time up to a day after it was told, .*, got {got}") as refused:
        core.decide(None, future)
    (raised,) = decoded(core.refused(future, refused.value.reason, refused.value.error))
    assert isinstance(raised, ExceptionRaised)
    assert (raised.type, "set aside, future: expected a time" in raised.detail) == ("undecodable", True)
    unknown = replace(future, timestamp_ms=-1)  # a producer that names no time
    assert core.decide(None, unknown).state is not None


@pytest.mark.req("EXC-1")
def test_a_step_shows_where_its_fact_can_be_read() -> None:
    _, told = decide_all(Cases(edge()))
    last = [s for s in told if isinstance(s, CaseStep) and s.what == "inspected" and s.step == "learned"][-1]
    assert last.evidence is not None
    assert (last.evidence.topic, last.evidence.partition, last.evidence.offset) == (topics.RETURN_EVENTS, 3, 3)


def test_a_row_keeps_the_case_and_its_deadline() -> None:
    core = Cases(edge())
    case, _ = decide_all(core)
    assert case is not None
    row = core.dump(case)
    assert core.load(row) == case
    assert core.due(row) == case.due_ms
    assert case.due_ms is not None


def test_a_deadline_is_the_same_fact_whenever_it_is_asked_for() -> None:
    core = Cases(edge())
    case, _ = decide_all(core)
    assert case is not None
    assert case.due_ms is not None
    first = core.reached(KEY, case, case.due_ms)
    assert first is not None
    assert (first.topic, first.key) == (topics.CASE_DEADLINES, KEY)
    assert core.reached(KEY, case, case.due_ms) == first
    assert CODEC.decode_as(DeadlineReached, first.value).due_at_ms == case.due_ms
    after = core.decide(case, record(first.topic, first.value))
    assert after.due_ms is not None
    assert after.due_ms > case.due_ms


def test_nothing_new_gives_the_same_state_back_so_that_no_row_is_written() -> None:
    core = Cases(edge())
    case, _ = decide_all(core)
    assert core.decide(case, record(topics.ORDER_SNAPSHOTS, CODEC.encode(order()))).state is case


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize(
    ("topic", "value", "key", "reason"),
    [
        (topics.RETURN_EVENTS, b"\x00", KEY, "undecodable"),
        (topics.RETURN_EVENTS, None, KEY, "undecodable"),
        (topics.RETURN_EVENTS, CODEC.encode(order()), KEY, "wrong_record"),
        (topics.ORDER_SNAPSHOTS, CODEC.encode(order()), ids.order_key(MERCHANT, "other"), "wrong_key"),
        (topics.ORDER_SNAPSHOTS, CODEC.encode(replace(order(), merchant="nobody")), FOREIGN, "unknown_merchant"),
    ],
)
def test_a_record_that_cannot_be_decided_on_is_refused_with_a_word(
    topic: str, value: bytes, key: bytes, reason: str
) -> None:
    with pytest.raises(Undecodable) as refused:
        Cases(edge()).decide(None, record(topic, value, key))
    assert refused.value.reason == reason


@pytest.mark.req("EXC-2", "EXC-6")
def test_a_refused_record_is_told_to_its_owner_with_its_place() -> None:
    core = Cases(edge())
    (made,) = core.refused(record(topics.RETURN_EVENTS, b"\x00"), "undecodable", "expected a record, got 1 bytes")
    raised = CODEC.decode_as(ExceptionRaised, made.value)
    assert made.topic == topics.EXCEPTIONS
    assert made.key == raised.exception_id.encode()
    assert (raised.type, raised.owner, raised.merchant) == ("undecodable", "integration", MERCHANT)
    assert raised.evidence is not None
    assert (raised.evidence.topic, raised.evidence.offset) == (topics.RETURN_EVENTS, 7)


@pytest.mark.req("EXC-4")
def test_facts_of_a_merchant_without_a_file_are_told_once_and_its_deadlines_rest() -> None:
    lost = Cases(Edge(CODEC, {}))
    fact = record(topics.ORDER_SNAPSHOTS, CODEC.encode(order()))
    told = []
    for offset in (7, 8, 9):
        with pytest.raises(Undecodable) as refused:
            lost.decide(None, replace(fact, offset=offset))
        (made,) = lost.refused(replace(fact, offset=offset), refused.value.reason, refused.value.error)
        told.append(CODEC.decode_as(ExceptionRaised, made.value))
    assert {(each.type, each.merchant, each.owner) for each in told} == {("misconfigured", MERCHANT, "integration")}
    assert len({each.exception_id for each in told}) == 1
    case, _ = decide_all(Cases(edge()))
    assert case is not None
    assert case.due_ms is not None
    assert lost.reached(KEY, case, case.due_ms) is None


def test_the_stock_core_answers_intents_and_keeps_its_row() -> None:
    core = Stock(edge())
    _, told = decide_all(Cases(edge()))
    (intent,) = [r for r in told if isinstance(r, RestockIntent)]
    key = row_key(intent)
    known = core.decide(None, record(topics.STOCK_ITEMS, CODEC.encode(item()), key))
    made = core.decide(known.state, record(topics.RESTOCK_INTENTS, CODEC.encode(intent), key))
    assert made.state is not None
    assert core.load(core.dump(made.state)) == made.state
    assert core.due(core.dump(made.state)) is None
    (verdict,) = [r for r in decoded(list(made.outputs)) if isinstance(r, RestockVerdict)]
    assert verdict.verdict == "commanded"
    assert core.reached(key, made.state, 1) is None
    (refused,) = core.refused(record(topics.STOCK_ITEMS, b"x", b"\xff"), "undecodable", "broken")
    assert CODEC.decode_as(ExceptionRaised, refused.value).merchant == ""


@pytest.mark.req("INV-14", "INV-19")
def test_what_still_comes_under_a_sku_goes_to_the_row_of_its_item_and_the_old_row_goes() -> None:
    core = Stock(edge())
    _, told = decide_all(Cases(edge()))
    (intent,) = [r for r in told if isinstance(r, RestockIntent)]
    old = f"{MERCHANT}|{intent.sku}".encode()
    for topic, fact in ((topics.STOCK_ITEMS, item()), (topics.RESTOCK_INTENTS, intent)):
        sent = core.decide(None, record(topic, CODEC.encode(fact), old))
        (again,) = sent.outputs
        assert sent.state is None
        assert (again.topic, again.key, again.value) == (topic, row_key(fact), CODEC.encode(fact))
    with pytest.raises(Undecodable, match="wrong_key"):
        core.decide(None, record(topics.RESTOCK_INTENTS, CODEC.encode(intent), f"{MERCHANT}|OTHER".encode()))
