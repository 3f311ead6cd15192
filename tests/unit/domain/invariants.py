"""What must be true after every step of every run, judged by what goes in and what comes out, not by how it is decided.

`Watch` feeds a world and checks each step. It keeps its own books of facts, commands, exceptions and waits.
"""

from __future__ import annotations

import msgspec

from schemas.commands import Annotate, Command, CommandResult, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnedUnit, ReturnEvent
from schemas.journal import CaseStep
from schemas.stock import RestockIntent, RestockVerdict
from streams.domain.judge import Picture, judge
from streams.domain.output import Output
from streams.domain.standing import Standing
from streams.domain.state import Case
from tests.unit.domain.world import AnyFact, World

GONE = ("missing", "not_returned")
STOPS = ("rejected", "cancelled", "expired")
SOURCES = ("returngo", "warehouse")
Payment = Refund | StoreCredit | Exchange


class Watch:
    """One run. `fork` lets two runs part after common steps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: tuple[AnyFact, ...] = ()
        self.contents: dict[str, Command | RestockIntent] = {}
        self.exceptions: dict[str, str] = {}  # open ones by id, as a reader of the topic knows them
        self.waits: dict[str, str] = {}  # guard by unit, "" when closed, as a reader of the journal knows them
        self.refused: set[str] = set()
        self.untracked = False

    def fork(self) -> Watch:
        new = Watch(self.world.fork())
        new.facts, new.contents, new.waits = self.facts, dict(self.contents), dict(self.waits)
        new.exceptions, new.refused = dict(self.exceptions), set(self.refused)
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
        picture = None if case is None else judge(case.learnt, case.decided, self.world.rules)
        self._exceptions_as_caused(made, picture)
        self._every_open_unit_waits(made, () if picture is None else picture.standings)
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
        order = self._order()
        assert order is not None, "a payment without its order"
        assert self._said("approved", paid.rma_id), "a payment of a return that nobody approved"
        for unit_id in paid.unit_ids:
            unit = self._unit(paid.rma_id, unit_id)
            if unit.ships:
                assert self._inspected(unit_id, unit) or self._put_back_by_others(unit), "paid before its inspection"
                assert self._restocked(unit_id, unit), "paid before its restock"
        for one in self._live_payments():
            assert one is paid or one.rma_id != paid.rma_id or not set(one.unit_ids) & set(paid.unit_ids), "paid twice"
        gone = sum(p.amount_minor for p in self._live_payments() if not isinstance(p, Exchange))
        assert gone + self._paid_by_others() <= sum(p.amount_minor for p in order.payments if p.status == "success")
        for payment in order.payments:
            shares = [
                t.amount_minor
                for p in self._live_payments() if isinstance(p, Refund)
                for t in p.tenders if t.payment_id == payment.payment_id
            ]  # fmt: skip
            assert sum(shares) + self._paid_by_others(payment.payment_id) <= payment.amount_minor
        if isinstance(paid, Refund):
            assert sum(t.amount_minor for t in paid.tenders) == paid.amount_minor > 0

    def _may_be_put_back(self, put: Restock) -> None:
        """INV-1, INV-2, INV-10, INV-13: for sale only when seen as sellable, and no more than came and was bought."""
        order = self._order()
        assert order is not None, "a restock without its order"
        units = [self._unit(put.rma_id, u) for u in put.unit_ids if "|" not in u]
        for unit in units:
            found = self._inspected(unit.unit_id, unit)
            assert found or put.quantity < 0, "put back before its inspection"
            assert put.stock_status != "available" or "sellable" in found, "for sale without an inspection that says so"
        for line in order.lines:
            live = [c for c in self.world.commands.values() if isinstance(c, Restock) and c.line_id == line.line_id]
            net = sum(c.quantity for c in live if c.command_id not in self.refused)
            returned = {(f.rma_id, u.unit_id): u.quantity for f, u in self._units() if u.line_id == line.line_id}
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

    def _exceptions_as_caused(self, made: list[Output], picture: Picture | None) -> None:
        """EXC-4: open exactly as long as the cause holds, and never cleared without having been raised."""
        for output in made:
            record = output.record
            if isinstance(record, ExceptionRaised):
                self.exceptions[record.exception_id] = record.type
            elif isinstance(record, ExceptionCleared):
                assert self.exceptions.pop(record.exception_id, None) == record.type, "cleared, but never raised"
        if picture is not None:
            assert self.exceptions == {i: c.type for i, c in picture.causes.items()}
            assert not picture.wanted, "more follows, but was not done"
        told = set(self.exceptions.values())
        for kind, possible in self._only_if().items():
            assert possible or kind not in told, f"{kind} without a cause"
        for kind, certain in self._if(() if picture is None else picture.standings).items():
            assert kind in told or not certain, f"{kind} is absent, its cause is there"

    def _only_if(self) -> dict[str, bool]:
        """What must have come in before an exception of a type can be open."""
        facts, order = self.facts, self._order()
        found = [u for _, u in self._units()] + [u for f in facts if isinstance(f, ReturnEvent) for u in f.units]
        seen = [u for u in found if u.disposition]
        places = {(place.source, place.code) for place in self.world.rules.locations}
        others = [f for f in facts if isinstance(f, ObservedEffect) and f.command_id is None]
        ended = [f for f in facts if isinstance(f, ReturnEvent) and f.kind in (*STOPS, "resolved")]
        asks = [f for f in facts if isinstance(f, ReturnEvent) and f.transaction is not None]
        return {
            "orphan_return": order is None or any(not u.unit_id for u in found),
            "item_missing": any(u.disposition in GONE for u in seen),
            "unmapped_location": any((s, u.location or "") not in places for u in seen for s in SOURCES),
            "refund_outside_workflow": any(f.kind != "restock" for f in others),
            "restock_outside_workflow": any(f.kind == "restock" or any(m.restocked for m in f.lines) for f in others),
            "refund_before_goods": bool(others or asks)
            or any(isinstance(f, ReturnEvent) and f.exchange_order_id is not None for f in facts),
            "status_conflict": bool(ended) or (self.world.rules.model.inspecting.needs_receipt and bool(seen)),
            "contradicting_fact": len({u.disposition for u in seen}) > 1 or len({u.sku for u in found}) > 1,
            "rejected_by_system": bool(self.refused),
            "amount_mismatch": bool(others or asks or self.refused) or any(u.paid or u.fees for u in found)
            or (order is not None and len(order.payments) > 1),
        }  # fmt: skip

    def _if(self, standings: tuple[Standing, ...]) -> dict[str, bool]:
        """What leaves no doubt that an exception of a type must be open."""
        order = self._order()
        unfinished = any(not s.closed for s in standings)
        requested = [f.occurred_at_ms for f in self.facts if isinstance(f, ReturnEvent) and f.kind == "requested"]
        by_staff = [f for f in self.facts if isinstance(f, ObservedEffect) and f.actor in ("staff", "other")
                    and f.command_id is None and f.kind == "refund"]  # fmt: skip
        ours = self.world.rules.model.refunding.actor == "returnflow"
        return {
            "archived_order": order is not None and order.archived and unfinished,
            "unknown_line": order is not None and order.complete
            and any(not s.seat.parts and not s.seat.stopped and not s.closed for s in standings)
            and not any(s.seat.money == "elsewhere" for s in standings),
            "refund_outside_workflow": ours and bool(requested) and not self._reported()
            and any(f.occurred_at_ms >= min(requested) for f in by_staff),
        }  # fmt: skip

    def _reported(self) -> bool:
        """ReturnGO says that it paid: what the shop shows may be that."""
        steps = [f.transaction for f in self.facts if isinstance(f, ReturnEvent)]
        return any(step is not None and step.status == "success" for step in steps)

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
        now = {s.seat.key: "" if s.closed else s.waits_for.guard for s in standings}
        assert self.waits == now
        assert all(s.closed or s.waits_for.guard for s in standings)

    def _nothing_open_is_forgotten(self) -> None:
        case = self.world.case
        if case is None:
            return
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(case), type=Case) == case
        assert case.due_ms is None or case.due_ms > case.learnt.clock_ms
        for decision_id in case.decided:
            if decision_id not in self.world.settled and decision_id in self.world.commands:
                record = self.world.commands[decision_id]
                seen = isinstance(record, Payment) and self._seen(decision_id)
                assert seen or decision_id in case.open, "a command without a result that is not in the outbox"

    def _order(self) -> OrderSnapshot | None:
        found = [f for f in self.facts if isinstance(f, OrderSnapshot)]
        return max(found, key=lambda f: (f.version_ms, f.fact_id), default=None)

    def _said(self, kind: str, rma_id: str) -> bool:
        return any(isinstance(f, ReturnEvent) and f.kind == kind and f.rma_id == rma_id for f in self.facts)

    def _units(self) -> list[tuple[ReturnEvent, ReturnedUnit]]:
        return [(f, u) for f in self.facts if isinstance(f, ReturnEvent) for u in f.units if u.unit_id]

    def _unit(self, rma_id: str, unit_id: str) -> ReturnedUnit:
        found = [
            (f.occurred_at_ms, f.fact_id, u) for f, u in self._units() if (f.rma_id, u.unit_id) == (rma_id, unit_id)
        ]
        assert found, f"a command for unit {unit_id} of RMA {rma_id}, which no fact names"
        return max(found, key=lambda each: each[:2])[2]

    def _inspected(self, unit_id: str, unit: ReturnedUnit) -> set[str]:
        """Dispositions that anyone gave it, by name or by counting pieces of its line."""
        return {
            u.disposition
            for f in self.facts if isinstance(f, ReturnEvent) and f.kind == "inspected"
            for u in f.units
            if u.disposition
            and (u.unit_id == unit_id or (not u.unit_id and (u.line_id or unit.line_id) == unit.line_id))
        }  # fmt: skip

    def _restocked(self, unit_id: str, unit: ReturnedUnit) -> bool:
        model = self.world.rules.model
        found = self._inspected(unit_id, unit)
        if model.refunding.after == "inspected" or model.restocking.actor != "returnflow" or found <= {*GONE}:
            return True
        if "damaged" in found and not model.restocking.damaged_to_stock:
            return True
        applied = {f.command_id for f in self.facts if isinstance(f, CommandResult) and f.outcome != "rejected"}
        ours = any(
            isinstance(c, Restock) and c.quantity > 0 and unit_id in c.unit_ids and i in applied
            for i, c in self.world.commands.items()
        )
        counted = any("|" in u for c in self.world.commands.values() if isinstance(c, Restock) for u in c.unit_ids)
        return ours or self.untracked or counted or self._put_back_by_others(unit)

    def _put_back_by_others(self, unit: ReturnedUnit) -> bool:
        return any(
            m.line_id == unit.line_id and (m.restocked or f.kind == "restock")
            for f in self.facts if isinstance(f, ObservedEffect)
            for m in f.lines
        )  # fmt: skip

    def _live_payments(self) -> list[Payment]:
        return [
            c for i, c in self.world.commands.items()
            if isinstance(c, Payment) and (i not in self.refused or self._applied(i))
        ]  # fmt: skip

    def _applied(self, command_id: str) -> bool:
        results = [f for f in self.facts if isinstance(f, CommandResult) and f.command_id == command_id]
        return any(f.outcome != "rejected" for f in results)

    def _seen(self, command_id: str) -> bool:
        return any(isinstance(f, ObservedEffect) and f.command_id == command_id for f in self.facts)

    def _paid_by_others(self, payment_id: str | None = None) -> int:
        newest = {f.external_id: f for f in self.facts if isinstance(f, ObservedEffect) and f.command_id is None}
        return sum(
            t.amount_minor
            for f in newest.values() if f.kind != "restock"
            for t in f.tenders if t.status != "failed" and payment_id in (None, t.payment_id)
        )  # fmt: skip


def _name(record: object) -> str:
    if isinstance(record, Annotate | Command):
        return record.command_id
    return record.intent_id if isinstance(record, RestockIntent) else ""
