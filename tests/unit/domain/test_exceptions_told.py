"""An exception exists if and only if its cause does, as far as facts and rules tell it without the code that decides.

Checked after every fact of every run. The model check and any life (invariants.py) are held to the same.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Command, Exchange, Refund, StoreCredit
from schemas.facts import ReturnedUnit
from schemas.merchant import Merchant
from schemas.money import Money
from schemas.stock import RestockIntent
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.state import Case
from tests.unit.domain.factories import asked, deadline, event, inspected, transaction, unit
from tests.unit.domain.inbox import Inbox
from tests.unit.domain.oracle_money import certain_to_differ
from tests.unit.domain.oracle_walk import surely, waits
from tests.unit.domain.rows import name_of
from tests.unit.domain.test_contradictions import CASES, sound
from tests.unit.domain.test_reprocessing import histories
from tests.unit.domain.told_run import Told
from tests.unit.domain.troubles import ORDERS, RULES, UNITS, bought_from, described, ordered, troubles


def held_to_the_facts(rules: Merchant, facts: list[Fact]) -> Inbox:
    """The inbox at the end; AssertionError where it was not as the facts have it at any time."""
    case: Case | None = None
    inbox = Inbox()
    sent: dict[tuple[type, str], Command | RestockIntent] = {}
    for count, fact in enumerate(facts, 1):
        case, made = decide_case(case, fact, rules)
        before = Told(tuple(facts[:count]), list(sent.values()), rules)
        for output in made:
            record = output.record
            if isinstance(record, Command | RestockIntent) and (type(record), name_of(record)) not in sent:
                nothing_keeps(record, before)
                sent[type(record), name_of(record)] = record
        inbox.hear(made)
        inbox.agrees(case)
        inbox.caused(Told(tuple(facts[:count]), list(sent.values()), rules))
    return inbox


def nothing_keeps(record: Command | RestockIntent, before: Told) -> None:
    """Nothing is sent that the facts keep from being sent, for certain."""
    for each in before.units:
        if each.rma_id == record.rma_id and each.unit_id in record.unit_ids:
            stock, money = waits(each)
            if isinstance(record, RestockIntent) and record.quantity > 0:
                assert not surely(stock), f"put back, though kept by {stock}"
            if isinstance(record, Refund | StoreCredit | Exchange):
                assert not surely(money), f"paid, though kept by {money}"
                assert before.order is not None
                assert certain_to_differ(each, before.order) is None, "paid, though the figures differ"


@pytest.mark.req("EXC-1", "EXC-3", "EXC-4")
@given(run=st.one_of(troubles(), troubles(calm=True), troubles(calm=True)))
@settings(max_examples=150, deadline=None)
def test_whatever_is_odd_is_raised_and_nothing_else(run: tuple[Merchant, list[Fact]]) -> None:
    held_to_the_facts(*run)


@pytest.mark.req("EXC-1", "EXC-4")
@given(run=histories())
@settings(max_examples=50, deadline=None)
def test_in_any_history_an_exception_is_open_as_long_as_its_cause_is_there(run: tuple[Merchant, list[Fact]]) -> None:
    rules, facts = run
    words: dict[str, Fact] = {}
    for fact in facts:
        words.setdefault(getattr(fact, "fact_id", "") or f"result {getattr(fact, 'command_id', '')}", fact)
    held_to_the_facts(rules, list(words.values()))


@pytest.mark.req("EXC-4")
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.model.system)
@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_raised_under_every_model_as_the_facts_have_it(rules: Merchant, name: str) -> None:
    facts, _, _ = CASES[name]
    held_to_the_facts(rules, [*bought_from(rules), *facts, *sound()])


@pytest.mark.req("EXC-1", "EXC-3")
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.model.system)
def test_each_oddity_alone_is_raised_under_every_model(rules: Merchant) -> None:
    one = unit("u1", "L2", "CAP")
    rest: list[Fact] = [*asked(one), event("received", one, hours=3), inspected(one), transaction(None), deadline(900)]
    for more in ORDERS:
        held_to_the_facts(rules, [*ordered(bought_from(rules), more), *rest])
    for more in UNITS:
        held_to_the_facts(rules, [*bought_from(rules), *described(rest, ["u1"], more)])


KEPT, AGAIN = unit("u8", "L2", "CAP", ships=False, resolution="keep"), unit("u7", "L2", "CAP")
BACK = [*asked(AGAIN, rma="103", hours=9), event("received", hours=10, rma="103")]
CHEAPER = unit("u6", "L2", "CAP", resolution="exchange", exchange_price=Money(minor=700, currency="EUR"))
DOLLARS = replace(CHEAPER, exchange_price=Money(minor=700, currency="USD"))


def released(one: ReturnedUnit) -> list[Fact]:
    """ReturnGO completes its draft by itself, the goods come back afterwards."""
    order = event("exchange", one, hours=3, exchange_draft_order_id="D1", exchange_order_id="E1")
    return [*asked(one), order, event("received", one, hours=4), inspected(one)]


# what people change their minds about, once a unit was paid or graded
MINDS: dict[str, list[Fact]] = {
    "cancelled after it was paid": [*asked(KEPT), event("cancelled", hours=7)],
    "cancelled and reopened": [*asked(AGAIN), event("cancelled", hours=7), event("reopened", hours=8)],
    "reopened and found missing": [
        *asked(AGAIN), event("cancelled", hours=7), event("reopened", hours=8), inspected(AGAIN, "missing", hours=9),
    ],
    "cancelled again and found missing": [
        *asked(AGAIN), event("reopened", hours=7), event("cancelled", hours=8), inspected(AGAIN, "missing", hours=9),
    ],
    "cancelled before it came": [*asked(AGAIN), event("cancelled", hours=7), event("received", AGAIN, hours=8)],
    "not returned, expired, and there after all": [
        *asked(AGAIN), inspected(AGAIN, "not_returned", hours=7), event("expired", hours=8), event("received", hours=9),
    ],
    "expired, there, and reopened": [
        *asked(AGAIN), event("expired", hours=7), inspected(AGAIN, hours=8), event("reopened", hours=9),
    ],
    "reopened, cancelled again, and there": [
        *asked(AGAIN), event("cancelled", hours=3), event("reopened", hours=4), event("cancelled", hours=7),
        inspected(AGAIN, hours=8),
    ],
    "there between two cancellations": [
        *asked(AGAIN), event("cancelled", hours=3), inspected(AGAIN, hours=4), event("reopened", hours=5),
        event("cancelled", hours=6),
    ],
    "cancelled twice, and there in between": [
        *asked(AGAIN), event("cancelled", hours=3), inspected(AGAIN, hours=4), event("cancelled", hours=6),
    ],
    "expired, there, and cancelled": [
        *asked(AGAIN), event("expired", hours=3), inspected(AGAIN, hours=4), event("cancelled", hours=6),
    ],
    "asked back again after it was paid and cancelled": [*asked(KEPT), event("cancelled", hours=7), *BACK],
    "asked back again after it was cancelled unpaid": [*asked(AGAIN), event("cancelled", hours=7), *BACK],
    "resolved without its money": [*asked(AGAIN), event("resolved", hours=8), deadline(900)],
    "paid by ReturnGO before it came": [*asked(AGAIN), transaction(1000, "success", external_id="R7")],
    "paid by ReturnGO and missing": [
        *asked(AGAIN), transaction(1000, "success", external_id="R7"), inspected(AGAIN, "missing", hours=9),
    ],
    "released by ReturnGO for cheaper goods": released(CHEAPER),
    "released by ReturnGO and paid back": [*released(CHEAPER), transaction(300, "success", ("u6",), "R7")],
    "released by ReturnGO and paid back in part": [*released(CHEAPER), transaction(200, "success", (), "R7")],
    "released by ReturnGO and cancelled": [*released(CHEAPER), event("cancelled", hours=7)],
    "released by ReturnGO for goods priced in dollars": released(DOLLARS),
    "resolved as missing": [*asked(AGAIN), inspected(AGAIN, "missing", hours=7), event("resolved", hours=8)],
}  # fmt: skip


@pytest.mark.req("EXC-4", "STA-4")
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.model.system)
@pytest.mark.parametrize("name", MINDS)
def test_a_change_of_mind_opens_and_clears_what_the_facts_have(rules: Merchant, name: str) -> None:
    facts = [*bought_from(rules), *MINDS[name], deadline(50)]
    held_to_the_facts(rules, facts)
    held_to_the_facts(rules, [*facts[1:], facts[0]])
