"""Any life of a case: facts in any order, twice and late, staff at work, crashes and replays; the books stay right."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from schemas.commands import Annotate
from schemas.merchant import load
from tests.unit.domain.factories import (
    asked,
    at,
    deadline,
    event,
    inspected,
    item,
    line,
    order,
    payment,
    transaction,
    unit,
)
from tests.unit.domain.invariants import Watch
from tests.unit.domain.shop import Shop, amount_of
from tests.unit.domain.test_every_state import FOLDER, MODELS
from tests.unit.domain.world import AnyFact, World

LINES = {"L1": ("TEE", 2, 1000), "L2": ("CAP", 1, 999)}
UNITS = {"u1": "L1", "u2": "L1", "u3": "L2"}
SPLITS = [(("u1", "u2", "u3"),), (("u1", "u2"), ("u3",)), (("u1",), ("u2", "u3")), (("u1",),)]
GRADES = st.sampled_from(["sellable", "sellable", "damaged", "missing"])
FIRST_GRADES = st.sampled_from(["sellable", "sellable", "sellable", "damaged", "missing", ""])
RESOLUTIONS = st.sampled_from(["refund", "refund", "store_credit", "exchange"])
HOURS = st.integers(2, 60)


class Life(RuleBasedStateMachine):
    """What happens in the world becomes news; news are delivered one by one, in any order."""

    @initialize(model=st.sampled_from(MODELS), data=st.data(), staff=st.booleans())
    def bought_and_sent_back(self, model: str, data: st.DataObject, staff: bool) -> None:
        rules = load(FOLDER / model / "merchant.toml")
        card, resolution = data.draw(st.integers(0, 2999)), data.draw(RESOLUTIONS)
        lines = [line(name, sku, n, price=price) for name, (sku, n, price) in LINES.items()]
        paid = (payment("P1", "card", card), payment("P2", "gift_card", 2999 - card))
        self.shop = Shop(replace(order(*lines), system=model, payments=paid))
        self.watch = Watch(World(rules))
        self.units = {u: unit(u, name, LINES[name][0], resolution=resolution) for u, name in UNITS.items()}
        self.staff = staff
        self.pending: list[AnyFact] = [self.shop.order]
        self.pending += [replace(item(sku), system=model) for sku, _, _ in LINES.values()]
        self.delivered: list[AnyFact] = []
        self.hour = 60.0
        for names in data.draw(st.sampled_from(SPLITS)):
            self._sent_back(names, {name: data.draw(FIRST_GRADES) for name in names})

    def _sent_back(self, names: tuple[str, ...], grades: dict[str, str]) -> None:
        rma = f"10{names[0][1]}"
        units = [self.units[name] for name in names]
        self.pending += [*asked(*units, rma=rma), transaction(None, number=f"T{rma}", rma=rma)]
        made = self.watch.world.rules.model.exchanges.made
        name = {"draft": "exchange_draft_order_id", "order": "exchange_order_id"}[made]
        self.pending.append(event("exchange", rma=rma, hours=2, **{name: f"X{rma}"}))
        for name, grade in grades.items():
            self.pending.append(event("received", self.units[name], rma=rma, hours=3))
            if grade:
                self.pending.append(inspected(self.units[name], grade, hours=4, rma=rma))

    def _returns(self) -> list[Any]:
        return [f for f in self.pending + self.delivered if getattr(f, "kind", "") == "requested"]

    @rule(data=st.data(), grade=GRADES, hours=HOURS)
    def looked_at(self, data: st.DataObject, grade: str, hours: int) -> None:
        asked_for = data.draw(st.sampled_from(self._returns()))
        one = data.draw(st.sampled_from(asked_for.units))
        self.pending.append(inspected(one, grade, hours=hours, rma=asked_for.rma_id))

    @rule(data=st.data(), kind=st.sampled_from(["cancelled", "reopened", "resolved", "in_transit"]), hours=HOURS)
    def moved_on(self, data: st.DataObject, kind: str, hours: int) -> None:
        rma = data.draw(st.sampled_from(self._returns()))
        self.pending.append(event(kind, *rma.units, rma=rma.rma_id, hours=hours))

    @precondition(lambda self: self.staff)
    @rule(name=st.sampled_from(sorted(LINES)), restock=st.booleans(), hours=HOURS)
    def staff_refunds(self, name: str, restock: bool, hours: int) -> None:
        self.shop.staff_refunds(name, amount_of(self.shop.order, name).minor, restock=restock, hours=hours)

    @precondition(lambda self: self.staff)
    @rule(name=st.sampled_from(sorted(LINES)), hours=HOURS)
    def staff_puts_back(self, name: str, hours: int) -> None:
        self.shop.staff_puts_back(name, hours)

    @rule(data=st.data())
    def sink_works(self, data: st.DataObject) -> None:
        """A command that was ever emitted reaches the shop, perhaps once more."""
        known = [c for c in self.watch.world.commands.values() if not isinstance(c, Annotate)]
        if known:
            self.hour += 1
            self._carried_out(data.draw(st.sampled_from(known)))

    def _carried_out(self, command: Any) -> None:
        done = self.shop.carry_out(command, at(self.hour))
        assert done or self.shop.by_staff, "the shop had to refuse although nobody else was at work"

    @rule(data=st.data(), n=st.integers(1, 4))
    def news_arrive(self, data: st.DataObject, n: int) -> None:
        for _ in range(n):
            self.pending += self.shop.news
            self.shop.news = []
            if not self.pending:
                return
            fact = self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))
            self._delivered(fact)

    def _delivered(self, fact: AnyFact) -> None:
        self.delivered.append(fact)
        self.watch.step(fact)
        self.watch.world.acknowledge_marks(at(self.hour))

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def comes_again(self, data: st.DataObject) -> None:
        self.watch.again(data.draw(st.sampled_from(self.delivered)))

    @precondition(lambda self: self.watch.world.case is not None)  # a deadline is read from a row
    @rule(hours=st.sampled_from([80, 200, 900]))
    def time_passes(self, hours: int) -> None:
        self._delivered(deadline(hours))

    @invariant()
    def books_balance(self) -> None:
        """Per payment: paid = gone + still refundable, and never more than was paid; no unit is paid twice by us."""
        if not hasattr(self, "shop"):
            return
        for each in self.shop.order.payments:
            assert 0 <= self.shop.moved[each.payment_id] <= each.amount_minor
        assert len(self.shop.paid_units) == len(set(self.shop.paid_units)), "a unit was paid twice"
        if not self.shop.by_staff:
            for name, (_, bought, _) in LINES.items():
                assert 0 <= self.shop.stock[name] <= bought, "more in stock than came back, or less than nothing"

    def teardown(self) -> None:
        """Everything that happened becomes known and every command is carried out: the end is the same as if all had
        been known at once."""
        if not hasattr(self, "shop"):
            return
        self._quiet()
        if not self.shop.by_staff:
            self._what_is_closed_is_back_and_paid()

    def _quiet(self) -> None:
        for _ in range(40):
            for command in list(self.watch.world.commands.values()):
                if command.command_id not in self.watch.world.settled and not isinstance(command, Annotate):
                    self._carried_out(command)
            self.pending += self.shop.news
            self.shop.news = []
            if not self.pending:
                return
            for fact in self.pending:
                self._delivered(fact)
            self.pending = []
        raise AssertionError("facts and commands never come to an end")

    def _what_is_closed_is_back_and_paid(self) -> None:
        for standing in self.watch.world.standings():
            seat = standing.seat
            if (
                standing.closed
                and not seat.stopped
                and seat.found
                and seat.found.disposition in ("sellable", "damaged")
            ):
                assert seat.restocked == "applied"
                assert (seat.rma.rma_id, seat.unit.unit_id) in self.shop.paid_units or seat.money == "elsewhere"


TestAnyLife = Life.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyLife = pytest.mark.req("INV-1", "INV-10", "INV-13", "MON-1", "MON-10", "MON-11", "EXC-4")(TestAnyLife)
