"""A run as its facts and what was sent tell it, read plainly and without the code that decides."""

from __future__ import annotations

from functools import cached_property

from schemas.commands import Command, CommandResult, Refund
from schemas.facts import DeadlineReached, ObservedEffect, ReturnEvent
from schemas.merchant import Merchant
from schemas.merchant_fields import Stage
from schemas.merchant_model import Model
from schemas.stock import RestockIntent, RestockVerdict
from tests.unit.domain.heard import Facts, order_in
from tests.unit.domain.told_units import STOPS, Payment, Track, Unit, When, when


class Told:
    """A run: what the cases agent was fed, what both agents sent, and the merchant's rules."""

    def __init__(self, facts: Facts, sent: list[Command | RestockIntent], rules: Merchant) -> None:
        self.rules, self.facts, self.sent = rules, facts, sent
        self.events = [f for f in facts if isinstance(f, ReturnEvent)]
        self.order = order_in(facts)
        self.effects = [f for f in facts if isinstance(f, ObservedEffect)]
        self.verdicts = [f for f in facts if isinstance(f, RestockVerdict)]
        self.payments = [r for r in sent if isinstance(r, Payment)]
        self.model = self.model_at("")

    def model_at(self, location: str) -> Model:
        order = self.order
        if order is None:
            return self.rules.model
        return self.rules.governing(order.system, order.source or "", order.location_id or "", location)

    @cached_property
    def results(self) -> dict[str, CommandResult]:
        """How each command ended; applied beats rejected, else the first word stands."""
        found: dict[str, CommandResult] = {}
        for fact in self.facts:
            if isinstance(fact, CommandResult):
                known = found.get(fact.command_id)
                if known is None or (fact.outcome == "rejected", fact.settled_at_ms) < (
                    known.outcome == "rejected", known.settled_at_ms
                ):  # fmt: skip
                    found[fact.command_id] = fact
        return found

    @cached_property
    def clock_ms(self) -> int:
        """The latest deadline that came since anything was known of the case."""
        begun = next((i for i, f in enumerate(self.facts) if not isinstance(f, DeadlineReached)), len(self.facts))
        return max([f.due_at_ms for f in self.facts[begun:] if isinstance(f, DeadlineReached)], default=0)

    def late(self, since_ms: int, stage: Stage) -> bool:
        """Whether a deadline came since the time limit of a stage was over."""
        return self.clock_ms >= self.rules.due_ms(since_ms, stage)

    @cached_property
    def foreign(self) -> list[ObservedEffect]:
        """Effects that carry no mark of ours and that no result of ours names."""
        return [e for e in self.effects if e.command_id is None and e.external_id not in self.named]

    @cached_property
    def named(self) -> set[str]:
        """What results of ours call what was done."""
        return {v for r in self.results.values() for text in r.external_ids.values() for v in text.split(",")}

    @cached_property
    def our_ids(self) -> set[str | None]:
        return {*self.named, *(e.external_id for e in self.effects if e not in self.foreign)}

    @cached_property
    def units(self) -> list[Unit]:
        names = {(e.rma_id, u.unit_id) for e in self.events if e.rma_id for u in e.units if u.unit_id}
        return [Unit(self, rma_id, unit_id) for rma_id, unit_id in sorted(names)]

    def times(self, rma_id: str, kind: str) -> list[When]:
        """When a milestone of the whole return was told; of goods on their way only facts that name no units count, nor
        do receipts that list pieces."""
        goods, pieces = kind in ("in_transit", "received", "inspected"), kind in ("received", "inspected")
        return sorted(
            when(e) for e in self.events
            if (e.rma_id, e.kind) == (rma_id, kind) and not (goods and any(u.unit_id or pieces for u in e.units))
        )  # fmt: skip

    def marks(self, rma_id: str) -> dict[str, When]:
        """Each milestone of a return: those that people wait from when they were first told, others at their newest."""
        first = ("requested", "approved", "in_transit", "received")
        told = {e.kind: self.times(rma_id, e.kind) for e in self.events if e.rma_id == rma_id}
        return {kind: times[0] if kind in first else times[-1] for kind, times in told.items() if times}

    def stopped(self, rma_id: str) -> bool:
        stops = [when for kind in STOPS for when in self.times(rma_id, kind)]
        return bool(stops) and max(stops) >= max(self.times(rma_id, "reopened"), default=(-(2**63), 0))

    def ended(self, rma_id: str) -> int | None:
        """Since when it is cancelled or expired: the first such word, or the newest if it was reopened in between."""
        stops = [(self.times(rma_id, kind)[-1], kind) for kind in STOPS if self.times(rma_id, kind)]
        kind = max(stops)[1] if self.stopped(rma_id) else ""
        if kind not in ("cancelled", "expired"):
            return None
        said, again = self.times(rma_id, kind), self.times(rma_id, "reopened")
        return (said[-1] if again and again[-1] > said[0] else said[0])[0]

    def track_of(self, payment: Payment) -> Track:
        seen = [e for e in self.effects if e.command_id == payment.command_id]
        if any(not isinstance(payment, Refund) or e.total_minor >= payment.amount_minor for e in seen):
            return "applied"
        result = self.results.get(payment.command_id)
        return "open" if result is None else "refused" if result.outcome == "rejected" else "applied"
