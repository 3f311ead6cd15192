"""Learning is a merge: commutative, associative, idempotent."""

import itertools

import msgspec
import pytest

from schemas.facts import RefundedTender
from streams.domain import row
from streams.domain.decided import Marking
from streams.domain.learn import Fact, learn
from streams.domain.learnt import Learnt
from tests.unit.domain.factories import (
    Run,
    asked,
    counted,
    event,
    inspected,
    line,
    order,
    put_back,
    recorded,
    refunded,
    result,
    transaction,
    unit,
    verdict,
)


def known(*facts: Fact) -> Learnt | None:
    learnt = None
    for fact in facts:
        learnt = learn(learnt, fact)
    return learnt


RIVALS: list[list[Fact]] = [
    [order(hours=1), order(hours=2, archived=True), order(hours=2, customer_id="C2", complete=False, fact_id="other")],
    [
        inspected(unit(), "sellable", hours=5),
        inspected(unit(), "damaged", hours=6),
        inspected(unit(), "missing", hours=4),
    ],
    [*asked(unit(reason="old")), event("received", unit(reason="new"), hours=9), event("cancelled", unit(), hours=3)],
    [event("in_transit", unit(), hours=2), event("in_transit", unit(), hours=1), event("in_transit", hours=3)],
    [event("cancelled", hours=3), event("reopened", hours=4), event("cancelled", hours=5)],
    [transaction(1, "requested", hours=9), transaction(2, "success", hours=7), transaction(3, "failed", hours=8)],
    [
        event("exchange", hours=3, exchange_draft_order_id="D1"),
        event("exchange", hours=4, exchange_draft_order_id="D2"),
    ],
    [
        result("c", "refund", "rejected"),
        result("c", "refund", hours=9),
        result("c", "refund", "already_applied", hours=7),
    ],
    [refunded("R1", 500), order(refunds=(recorded("R1", 500),)), put_back("D1"), counted(2), counted(1, n=1)],
]


@pytest.mark.parametrize("facts", RIVALS)
def test_any_order_and_repetition_teaches_the_same(facts: list[Fact]) -> None:
    ends = [known(*shuffled, *shuffled) for shuffled in itertools.permutations(facts)]
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("facts", RIVALS)
def test_a_known_fact_gives_the_very_same_object_back(facts: list[Fact]) -> None:
    learnt = known(*facts)
    for fact in facts:
        assert learn(learnt, fact) is learnt


def test_settled_money_replaces_pending_money_of_the_same_time() -> None:
    def tender(status: str) -> tuple[RefundedTender, ...]:
        word = msgspec.convert(status, type=RefundedTender.__annotations__["status"])
        return (RefundedTender(transaction_id="t", payment_id="P1", tender="card", amount_minor=500, status=word),)

    pending = refunded("R1", 500, tenders=tender("pending"))
    failed = msgspec.structs.replace(refunded("R1", 500, tenders=tender("failed")), fact_id="a")
    for facts in ([pending, failed], [failed, pending]):
        learnt = known(*facts)
        assert learnt is not None
        assert [e.total_minor for e in learnt.effects.values()] == [0]


def test_a_verdict_only_ever_moves_on() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    words = [
        verdict(intent, "waiting", hours=9),
        verdict(intent, "impossible", reason="unknown_sku", hours=8),
        verdict(intent, hours=7),
    ]
    for shuffled in itertools.permutations(words):
        learnt = known(*shuffled)
        assert learnt is not None
        assert learnt.answers[intent.intent_id].verdict == "commanded"


def test_a_row_is_read_back_as_it_was_written() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()), refunded("R1", 10), counted(1), transaction(1000))
    run.restock()
    assert run.case is not None
    assert any(isinstance(d, Marking) for d in run.case.decided.values())
    assert row.load(row.dump(run.case)) == run.case


def test_the_row_of_a_usual_case_stays_small() -> None:
    run = Run()
    units = [unit(f"u{i}", f"L{i}", f"SKU{i}") for i in range(3)]
    run.feed(order(*(line(f"L{i}", f"SKU{i}") for i in range(3))), *asked(*units), *(inspected(u) for u in units))
    assert len(msgspec.msgpack.encode(run.case)) < 4_000
