"""Lives of a case in which something is odd: the order, the return, what others did, what a system answers."""

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Command, CommandResult
from schemas.facts import OrderSnapshot, RefundedTender, ReturnEvent
from schemas.merchant import Merchant
from schemas.money import Money
from schemas.stock import RestockIntent
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    at,
    covers,
    deadline,
    event,
    line,
    order,
    payment,
    refunded,
    transaction,
    verdict,
)
from tests.unit.domain.merchants import PLACES, merchant
from tests.unit.domain.test_any_order import lives, scenarios
from tests.unit.domain.world import settled

CLOSED = {"source": "returngo", "code": "dock", "location_id": "13", "active": False}
REASONS = [{"reason": "Opened", "location_id": "12", "stock_status": "quality_control"}]
RULES: list[Merchant] = [
    *(merchant(system) for system in ("shopify", "lightspeed-x", "sitoo", "linnworks", "patchworks")),
    merchant(model={"inspecting": {"policy_days": 3}, "refunding": {"tenders": ["card"]}}),
    merchant(model={"books": "linnworks", "refunding": {"tolerance_minor": 5}}),
    merchant(model={"refunding": {"after": "restocked", "damaged_is_refunded": False}}, reasons=REASONS),
    merchant(model={"restocking": {"actor": "pos"}, "refunding": {"after": "restocked"}}),
    merchant("linnworks", locations=(*PLACES[1:], CLOSED), model={"refunding": {"actor": "returnflow"}}),
    merchant("sitoo", model={"inspecting": {"source": "either"}, "refunding": {"actor": "returnflow"}}),
]
BACK = covers(restocked=True)
CODES = st.sampled_from(["misconfigured", "rejected_by_system", "too_late"])
EUR, USD = Money(minor=500, currency="EUR"), Money(minor=500, currency="USD")


ORDERS: list[dict[str, Any]] = [
    {"archived": True},
    {"complete": False},
    {"currency": "USD"},
    {"customer_id": None},
    {"payments": (payment("P1", "card", -300), payment("P2", "cash", 5000))},
    {"payments": (payment("P1", "voucher", 9000),)},
    {"payments": (payment("P1", "card", 90_000),)},
    {"created_at_ms": at(-2)},
    {"created_at_ms": at(-75)},
    {"created_at_ms": at(40)},
    {"tags": ("returngo-exchange",), "total_minor": 0},
]
UNITS: list[dict[str, Any]] = [
    {"sku": "MUG"},
    {"resolution": "unknown"},
    {"quantity": 3},
    {"quantity": -1},
    {"fees": USD},
    {"fees": EUR},
    {"paid": EUR},
    {"paid": EUR, "paid_tax": Money(minor=100, currency="EUR")},
    {"resolution": "exchange", "exchange_price": EUR},
    {"resolution": "store_credit"},
    {"reason": "Opened"},
]


def bought_from(rules: Merchant) -> list[Fact]:
    return [replace(order(line("L1", "TEE", 2), line("L2", "CAP")), system=rules.model.money)]


def ordered(facts: list[Fact], more: dict[str, Any]) -> list[Fact]:
    return [replace(fact, **more) if isinstance(fact, OrderSnapshot) else fact for fact in facts]


def described(facts: list[Fact], names: list[str], more: dict[str, Any]) -> list[Fact]:
    """The same of every mention of these units."""
    return [
        replace(fact, units=tuple(replace(u, **more) if u.unit_id in names else u for u in fact.units))
        if isinstance(fact, ReturnEvent) else fact
        for fact in facts
    ]  # fmt: skip


def names_in(facts: list[Fact]) -> list[str]:
    return sorted({u.unit_id for fact in facts if isinstance(fact, ReturnEvent) for u in fact.units} - {""}) or ["u1"]


def odd_facts() -> st.SearchStrategy[Fact]:
    """What others did or said, beyond what a sound life has."""
    hours, rmas = st.integers(-150, 60), st.sampled_from(["101", "102"])
    states = st.sampled_from(["requested", "success", "failed"])
    in_shop = RefundedTender(
        transaction_id="t", payment_id="P1", tender="card", amount_minor=700, status="success", shop_amount_minor=700
    )
    return st.one_of(
        st.builds(lambda h, r, s, a: transaction(a, s, hours=h, rma=r, number=f"T{h}", external_id=f"X{h}"),
                  hours, rmas, states, st.sampled_from([None, 1000, -5])),
        st.builds(lambda h, r: transaction(1000, hours=h, rma=r, number=f"T{h}", currency="USD"), hours, rmas),
        st.builds(lambda h, a: refunded(f"O{h}", a, covers("L9"), hours=h), hours, st.sampled_from([-700, 9000])),
        st.builds(lambda h: refunded(f"D{h}", 700, hours=h, currency="USD"), hours),
        st.builds(lambda h: refunded(f"S{h}", 700, covers(), hours=h, tenders=(in_shop,)), hours),
        st.builds(lambda h: replace(refunded(f"C{h}", 700, hours=h), kind="chargeback"), hours),
        st.builds(lambda h: replace(refunded(f"B{h}", 700, BACK, hours=h), kind="store_return"), hours),
        st.builds(lambda h, r: event("exchange", hours=h, rma=r, exchange_draft_order_id="D1"), hours, rmas),
        st.builds(lambda h, r: event("exchange", hours=h, rma=r, exchange_order_id="E1"), hours, rmas),
    )  # fmt: skip


def late_facts(facts: list[Fact]) -> st.SearchStrategy[Fact]:
    """What comes of time, and of people who change their minds."""
    rmas = sorted({fact.rma_id for fact in facts if isinstance(fact, ReturnEvent)}) or ["101"]
    kinds = st.sampled_from(["cancelled", "cancelled", "expired", "reopened", "resolved", "received"])
    changed = st.builds(lambda k, h, r: event(k, hours=h, rma=r), kinds, st.integers(61, 70), st.sampled_from(rmas))
    return st.one_of(changed, changed, st.builds(deadline, st.sampled_from([100, 600, 900])))


@st.composite
def troubles(draw: st.DrawFn, *, calm: bool = False) -> tuple[Merchant, list[Fact]]:
    """Any life under any operating model with a few odd things in it, and answers to what follows; `calm`: nobody else
    touches goods or money, so that the facts tell plainly what became of each unit."""
    rules, (_, facts) = draw(st.sampled_from(RULES)), draw(st.one_of(lives(), scenarios(), scenarios()))
    if calm:
        facts = [f for f in facts if getattr(f, "system", "") != "warehouse" and not hasattr(f, "external_id")]
    facts = ordered(facts, {"system": rules.model.money})
    for more in draw(st.lists(st.sampled_from(ORDERS), max_size=1)):
        facts = ordered(facts, more)
    for more in draw(st.lists(st.sampled_from(UNITS), max_size=1)):
        facts = described(facts, draw(st.lists(st.sampled_from(names_in(facts)), min_size=1)), more)
    if draw(st.integers(0, 7)) == 0:
        facts = [fact for fact in facts if not isinstance(fact, OrderSnapshot)]
    odd = late_facts(facts) if calm else st.one_of(odd_facts(), late_facts(facts))
    run, fed = Run(rules), list[Fact]()
    for fact in (*facts, *draw(st.lists(odd, max_size=4))):
        for each in (fact, *draw(answers(run))):
            if all(_name(each) != _name(known) for known in fed):
                fed.append(each)
                run.feed(each)
    return rules, fed


@st.composite
def answers(draw: st.DrawFn, run: Run) -> list[Fact]:
    """What systems say to some of the commands, the stock agent to some of the intents."""
    made: list[Fact] = []
    for output in run.outputs[-6:]:
        record, word = output.record, draw(st.integers(0, 9))
        if isinstance(record, RestockIntent) and word < 3:
            shown = draw(st.sampled_from(["commanded", "confirmed"]))
            made.append(verdict(record, shown, hours=70, command_ids=(record.intent_id,)))
            made.append(_restocked(record, "rejected" if word == 0 else "applied"))
        elif isinstance(record, RestockIntent) and word == 3:
            made.append(verdict(record, "impossible", hours=70, reason="untracked_item"))
        elif isinstance(record, Command) and word < 5:
            done = settled(record, "rejected" if word == 0 else "applied", at_ms=at(71), code=draw(CODES))
            made.append(replace(done, amount=USD) if word == 1 and done.amount is not None else done)
    return made


def _restocked(intent: RestockIntent, outcome: Any) -> CommandResult:
    return CommandResult(
        command_id=intent.intent_id, merchant=intent.merchant, system=intent.system, order_id=intent.order_id,
        rma_id=intent.rma_id, unit_ids=intent.unit_ids, kind="restock", outcome=outcome, settled_at_ms=at(72),
        attempts=1, code="unknown_sku" if outcome == "rejected" else None,
    )  # fmt: skip


def _name(fact: Fact) -> str:
    return fact.command_id if isinstance(fact, CommandResult) else fact.fact_id
