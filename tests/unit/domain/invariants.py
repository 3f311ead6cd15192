"""What must be true after every step of every run, judged by what goes in and what comes out, not by how it is decided.

`Watch` feeds a world and checks each step. It keeps its own books of facts, commands, exceptions and waits.
"""

from __future__ import annotations

from schemas.commands import Annotate, Command, CommandResult, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.facts import ObservedEffect, ReturnedUnit, ReturnEvent
from schemas.journal import CaseStep
from schemas.stock import RestockIntent, RestockVerdict
from streams.domain import row
from streams.domain.output import Output
from streams.domain.standing import Standing
from tests.unit.domain.heard import (
    GONE,
    applied,
    as_sold,
    grades_of,
    order_in,
    paid_by_others,
    put_back_by_others,
    shown,
    unit_in,
    units_in,
    was_said,
)
from tests.unit.domain.inbox import Inbox
from tests.unit.domain.judged import judged, surveyed
from tests.unit.domain.told_run import Told
from tests.unit.domain.world import AnyFact, World

Payment = Refund | StoreCredit | Exchange


class Watch:
    """One run. `fork` lets two runs part after common steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: tuple[AnyFact, ...] = ()
        self.contents: dict[str, Command | RestockIntent] = {}
        self.inbox = Inbox()
        self.waits: dict[str, str] = {}  # guard by unit, "" when closed, as a reader of the journal knows them
        self.refused: set[str] = set()
        self.untracked = False

    def fork(self) -> Watch:
        new = Watch(self.world.fork())
        new.facts, new.contents, new.waits = self.facts, dict(self.contents), dict(self.waits)
        new.inbox, new.refused = self.inbox.fork(), set(self.refused)
        new.untracked = self.untracked
        return new

    def step(self, fact: AnyFact) -> list[Output]:
        """Feeds a fact; AssertionError when anything that must hold does not."""
        known = fact in self.facts
        if not known:
            self.facts = (*self.facts, fact)
        if isinstance(fact, CommandResult) and fact.outcome == "rejected":
            self.refused.add(fact.command_id)
        made = self.world.feed(fact)
        self.untracked |= any(
            isinstance(o.record, RestockVerdict) and o.record.reason == "untracked_item" for o in made
        )
        new = self._one_content_for_ever(made)
        for record in new:
            if isinstance(record, Payment):
                self._may_be_paid(record)
            elif isinstance(record, Restock):
                self._may_be_put_back(record)
            elif isinstance(record, Journal):
                self._may_be_booked(record)
        case = self.world.case
        self._exceptions_as_caused(made)
        self._every_open_unit_waits(made, () if case is None else surveyed(case, self.world.rules).standings)
        self._nothing_open_is_forgotten()
        return made

    def again(self, fact: AnyFact) -> None:
        """A fact that is processed again changes nothing and repeats nothing but what is open."""
        before = self.world.case
        made = self.step(fact)
        assert self.world.case is before
        told = {name for output in made if (name := _name(output.record))}
        open_now = set(before.open) if before else set()
        assert told <= open_now | {c for c in self.contents if c not in self.world.settled}

    def _one_content_for_ever(self, made: list[Output]) -> list[Command | RestockIntent]:
        new = []
        for output in made:
            record, name = output.record, _name(output.record)
            if isinstance(record, Command | RestockIntent) and name:
                if name not in self.contents or type(self.contents[name]) is not type(record):
                    new.append(record)
                key = name if isinstance(record, Command) else f"intent {name}"
                assert self.contents.setdefault(key, record) == record, f"{key} has two contents"
        return new

    def _may_be_paid(self, paid: Payment) -> None:
        """MON-1, MON-11: approved, the goods accounted for, restocked where the model says so, and covered."""
        order = order_in(self.facts)
        assert order is not None, "a payment without its order"
        assert was_said(self.facts, "requested", paid.rma_id), "a payment before all units of its return are known"
        assert was_said(self.facts, "approved", paid.rma_id), "a payment of a return that nobody approved"
        for unit_id in paid.unit_ids:
            unit = unit_in(self.facts, paid.rma_id, unit_id)
            if unit.ships:
                assert grades_of(self.facts, unit_id, unit) or put_back_by_others(self.facts, unit), (
                    "paid before its inspection"
                )
                assert self._restocked(unit_id, unit), "paid before its restock"
                assert as_sold(order, unit) or put_back_by_others(self.facts, unit), "paid for other goods than sold"
        for one in self._live_payments():
            assert one is paid or one.rma_id != paid.rma_id or not set(one.unit_ids) & set(paid.unit_ids), "paid twice"
        gone = sum(p.amount_minor for p in self._live_payments() if not isinstance(p, Exchange))
        assert gone + paid_by_others(self.facts) <= sum(p.amount_minor for p in order.payments if p.status == "success")
        for payment in order.payments:
            shares = [
                t.amount_minor
                for p in self._live_payments() if isinstance(p, Refund)
                for t in p.tenders if t.payment_id == payment.payment_id
            ]  # fmt: skip
            assert sum(shares) + paid_by_others(self.facts, payment.payment_id) <= payment.amount_minor
        if isinstance(paid, Refund):
            assert sum(t.amount_minor for t in paid.tenders) == paid.amount_minor > 0

    def _may_be_put_back(self, put: Restock) -> None:
        """INV-1, INV-2, INV-10, INV-13: for sale only when seen as sellable, and no more than came and was bought."""
        order = order_in(self.facts)
        assert order is not None, "a restock without its order"
        units = [unit_in(self.facts, put.rma_id, u) for u in put.unit_ids if "|" not in u]
        for unit in units:
            found = grades_of(self.facts, unit.unit_id, unit)
            assert found or put.quantity < 0, "put back before its inspection"
            assert put.stock_status != "available" or "sellable" in found, "for sale without an inspection that says so"
        for line in order.lines:
            live = [c for c in self.world.commands.values() if isinstance(c, Restock) and c.line_id == line.line_id]
            net = sum(c.quantity for c in live if c.command_id not in self.refused)
            returned = {(f.rma_id, u.unit_id): u.quantity for f, u in units_in(self.facts) if u.line_id == line.line_id}
            assert net <= min(sum(returned.values()), line.quantity), "more put back than came or was bought"

    def _may_be_booked(self, booked: Journal) -> None:
        """MON-6, MON-7: only a refund that someone confirmed, and never more than it came to."""
        effects = [f for f in self.facts if isinstance(f, ObservedEffect)]
        seen = [f.total_minor for f in effects if f.external_id == booked.refund_id]
        results = [
            f for f in self.facts if isinstance(f, CommandResult) and booked.refund_id in f.external_ids.values()
        ]
        seen += [f.amount.minor for f in results if f.amount is not None]
        steps = [f.transaction for f in self.facts if isinstance(f, ReturnEvent) and f.transaction is not None]
        seen += [s.amount.minor for s in steps if s.external_id == booked.refund_id and s.amount is not None]
        assert seen, "a booking of a refund that nobody confirmed"
        assert booked.amount_minor <= max(seen), "more booked than was paid"

    def _exceptions_as_caused(self, made: list[Output]) -> None:
        """EXC-4: open exactly as long as the cause holds, by the facts alone and by what the code sees in them."""
        self.inbox.hear(made)
        self.inbox.agrees(self.world.case)
        self.inbox.caused(Told(self.world.fed, list(self.contents.values()), self.world.rules))
        case, rules = self.world.case, self.world.rules
        if case is not None:
            assert self.inbox.open.keys() == judged(case, rules).causes.keys()
            assert not surveyed(case, rules).wanted, "more follows, but was not done"

    def _every_open_unit_waits(self, made: list[Output], standings: tuple[Standing, ...]) -> None:
        """EXC-1: whoever reads the journal knows of each unit what it waits for, and who can help."""
        for output in made:
            step = output.record
            if isinstance(step, CaseStep) and step.step in ("waiting", "closed"):
                guard = ""
                if step.waiting_for is not None:
                    guard = step.waiting_for.guard
                    assert step.waiting_for.owner
                    assert step.waiting_for.unblocked_by
                self.waits |= {f"{step.rma_id}/{unit}": guard for unit in step.unit_ids}
        now = {s.seat.key: "" if s.closed else s.waits_for.name for s in standings}
        assert self.waits == now
        assert all(s.closed or s.waits_for.name for s in standings)

    def _nothing_open_is_forgotten(self) -> None:
        case = self.world.case
        if case is None:
            return
        assert row.load(row.dump(case)) == case
        assert case.due_ms is None or case.due_ms > case.learnt.clock_ms
        for decision_id in case.decided:
            if decision_id not in self.world.settled and decision_id in self.world.commands:
                record = self.world.commands[decision_id]
                known = isinstance(record, Payment) and shown(self.facts, decision_id)
                assert known or decision_id in case.open, "a command without a result that is not in the outbox"

    def _restocked(self, unit_id: str, unit: ReturnedUnit) -> bool:
        model = self.world.rules.model
        found = grades_of(self.facts, unit_id, unit)
        if model.refunding.after == "inspected" or model.restocking.actor != "returnflow" or found <= {*GONE}:
            return True
        if "damaged" in found and not model.restocking.damaged_to_stock:
            return True
        done = {f.command_id for f in self.facts if isinstance(f, CommandResult) and f.outcome != "rejected"}
        ours = any(
            isinstance(c, Restock) and c.quantity > 0 and unit_id in c.unit_ids and i in done
            for i, c in self.world.commands.items()
        )
        counted = any("|" in u for c in self.world.commands.values() if isinstance(c, Restock) for u in c.unit_ids)
        return ours or self.untracked or counted or put_back_by_others(self.facts, unit)

    def _live_payments(self) -> list[Payment]:
        return [
            c for i, c in self.world.commands.items()
            if isinstance(c, Payment) and (i not in self.refused or applied(self.facts, i))
        ]  # fmt: skip


def _name(record: object) -> str:
    if isinstance(record, Annotate | Command):
        return record.command_id
    return record.intent_id if isinstance(record, RestockIntent) else ""
