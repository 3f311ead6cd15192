"""Each returned unit as the facts of a run and what was sent tell it, read plainly and without the code that decides.

`None` says that the facts do not tell plainly: somebody else's refund or restock names a line and no unit, pieces were
counted and bear no names, or a late change is being compensated.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from schemas.commands import CommandResult, Exchange, Journal, Refund, StoreCredit
from schemas.facts import ObservedEffect, OrderLine, ReturnedUnit, ReturnEvent
from schemas.merchant import Location, ReasonRule
from schemas.stock import RestockIntent, RestockVerdict
from tests.unit.domain import told_places
from tests.unit.domain.heard import GONE

if TYPE_CHECKING:
    from tests.unit.domain.told_run import Told

Payment = Refund | StoreCredit | Exchange
Track = Literal["undecided", "open", "applied", "refused", "elsewhere"]
When = tuple[int, int]  # a time; equal ones are told apart by the order of reading, below it by a checksum of the id
STOPS = ("rejected", "cancelled", "expired")
PAID_KINDS = ("refund", "credit", "store_return", "chargeback")
REPORTED_KINDS = ("refund", "store_credit", "gift_card")
MEANS = {"refund": "refund", "keep": "refund", "store_credit": "credit", "gift_card": "credit"}


def when(event: ReturnEvent) -> When:
    return event.occurred_at_ms, event.read_order or crc32(event.fact_id.encode()) - 2**32


class Unit:
    """One unit of one return."""

    def __init__(self, told: Told, rma_id: str, unit_id: str) -> None:
        self.told, self.rma_id, self.unit_id = told, rma_id, unit_id
        mine = [
            (e.system == "returngo", when(e), e, u)
            for e in told.events if e.rma_id == rma_id for u in e.units if u.unit_id == unit_id
        ]  # fmt: skip
        self.mentions: list[tuple[ReturnEvent, ReturnedUnit]] = [each[2:] for each in mine]
        _, self.said_at, _, self.said = max(mine, key=lambda each: each[:2])
        self.about = self.said.line_id or self.said.sku or unit_id
        self.means = MEANS.get(self.said.resolution, self.said.resolution)
        source = told.model.inspecting.source
        self.looks = sorted(
            (*when(e), u.disposition, u.location or "", e.system)
            for e, u in self.mentions if e.kind == "inspected" and u.disposition and source in ("either", e.system)
        )  # fmt: skip
        self.grade = self.looks[-1][2] if self.looks else None
        self.code, self.source = self.looks[-1][3:] if self.looks else ("", "")
        self.gone = self.grade in GONE
        self.model = told.model_at(self.code) if self.looks else told.model
        # goods that are counted without names, and components that wait for each other, are told of otherwise
        self.plain = source == "returngo" and self.model.bundles.component == "component"
        self.counted = source != "returngo" and any(
            not u.unit_id or not e.rma_id for e in told.events if e.kind == "inspected" for u in e.units
        )

    @cached_property
    def withdrawn(self) -> bool:
        """Whether the newest list of its return's units is without it."""
        requested = [e for e in self.told.events if (e.rma_id, e.kind) == (self.rma_id, "requested")]
        newest = max(requested, key=lambda e: when(e), default=None)
        return (
            newest is not None and self.unit_id not in [u.unit_id for u in newest.units]
            and when(newest) > self.said_at
        )  # fmt: skip

    @cached_property
    def stopped(self) -> bool:
        return self.told.stopped(self.rma_id) or self.withdrawn

    @cached_property
    def late(self) -> bool | None:
        """Whether its goods are there by a word that is younger than the end of its return, and are in no stock."""
        ended, arrived = self.told.ended(self.rma_id), self.seen("received")
        if ended is None or self.withdrawn or not self.said.ships:
            return False
        if self.stock is None or self.counted or not self.plain or any(not e.rma_id for e in self.told.events):
            return None
        words = [at for at in (arrived,) if at is not None]
        if self.looks and self.gone:
            words = [at for at in words if at > self.looks[-1][0]]
        elif self.looks:
            words.append(self.looks[-1][0])
        return any(at > ended for at in words)

    @cached_property
    def line(self) -> OrderLine | None:
        lines = () if self.told.order is None else self.told.order.lines
        return next((each for each in lines if each.line_id == self.said.line_id), None)

    def seen(self, kind: str) -> int | None:
        """When it was first scanned or received, named or with its return."""
        named = [e.occurred_at_ms for e, _ in self.mentions if e.kind == kind]
        counted = [
            e.occurred_at_ms for e in self.told.events if e.rma_id in ("", self.rma_id)
            for u in e.units if kind == "received" and e.kind in ("received", "inspected") and u.quantity > 0
            and (not u.unit_id or not e.rma_id) and (u.line_id or self.said.line_id) == self.said.line_id
            and (u.line_id or u.sku == self.said.sku) and u.disposition not in GONE
        ]  # fmt: skip
        return min([*named, *counted, *(at for at, _ in self.told.times(self.rma_id, kind))], default=None)

    @cached_property
    def intents(self) -> list[RestockIntent]:
        mine = [r for r in self.told.sent if isinstance(r, RestockIntent) and r.rma_id == self.rma_id]
        return sorted((r for r in mine if self.unit_id in r.unit_ids), key=lambda r: r.generation)

    @cached_property
    def verdict(self) -> RestockVerdict | None:
        """The furthest word on its last intent."""
        words = ["waiting", "impossible", "commanded", "confirmed"]
        said = [f for f in self.told.verdicts if self.intents and f.intent_id == self.intents[-1].intent_id]
        return max(said, key=lambda f: (words.index(f.verdict), f.decided_at_ms), default=None)

    @cached_property
    def restocks(self) -> list[CommandResult | None]:
        """Results of the commands that its last intent became."""
        named = self.verdict.command_ids if self.verdict is not None else ()
        return [self.told.results.get(i) for i in named or [self.intents[-1].intent_id]]

    @cached_property
    def stock(self) -> Track | None:
        by_others = [
            m for e in self.told.foreign for m in e.lines
            if m.line_id == self.said.line_id and (m.restocked or e.kind == "restock")
        ]  # fmt: skip
        late = len({look[2:4] for look in self.looks}) > 1 or any(
            self.told.times(self.rma_id, kind) for kind in (*STOPS, "reopened")
        )
        if not self.plain or by_others or (self.compensates and self.intents and (late or self.stopped)):
            return None
        if not self.intents:
            return "undecided"
        if any(r is not None and r.outcome == "rejected" for r in self.restocks):
            return "refused"
        if all(r is not None for r in self.restocks):
            return "applied"
        return "refused" if self.verdict is not None and self.verdict.verdict == "impossible" else "open"

    @cached_property
    def compensates(self) -> bool:
        return self.model.restocking.late_changes == "compensate"

    @cached_property
    def payment(self) -> Payment | None:
        """What paid it, or is to; of an exchange for cheaper goods the difference, once that is known."""
        mine = [p for p in self.told.payments if p.rma_id == self.rma_id and self.unit_id in p.unit_ids]
        first = next((p for p in mine if not (isinstance(p, Refund) and p.exchange_id)), None)
        if isinstance(first, Exchange) and first.difference_minor < 0 and self.told.track_of(first) == "applied":
            return next((p for p in mine if isinstance(p, Refund)), first)
        return first

    @cached_property
    def money(self) -> Track | None:
        paid = self.payment
        if paid is not None:
            rest = isinstance(paid, Exchange) and paid.difference_minor < 0
            track = "open" if rest and self.told.track_of(paid) == "applied" else self.told.track_of(paid)
            if track == "applied":
                return track
        by_others = [e for e in self.told.foreign if e.kind in PAID_KINDS and (not e.lines or self._named_by(e))]
        if by_others:
            return None
        return "elsewhere" if self.reported else "undecided" if paid is None else track

    def _named_by(self, effect: ObservedEffect) -> bool:
        return any(moved.line_id == self.said.line_id for moved in effect.lines)

    @cached_property
    def reported(self) -> bool:
        """Whether ReturnGO says that it paid or, where the draft was ours, made the exchange order by itself."""
        mine = [e for e in self.told.events if e.rma_id == self.rma_id]
        if self.means == "exchange":
            return self.model.exchanges.made == "draft" and any(e.exchange_order_id for e in mine)
        steps = [e.transaction for e in mine if e.transaction is not None and self.means in ("refund", "credit")]
        return any(
            s.status == "success" and s.kind in REPORTED_KINDS and s.external_id not in self.told.our_ids
            and (not s.unit_ids or self.unit_id in s.unit_ids)
            for s in steps
        )  # fmt: skip

    @cached_property
    def journals(self) -> list[Journal]:
        return [r for r in self.told.sent if isinstance(r, Journal) and r.rma_id == self.rma_id
                and self.unit_id in r.unit_ids]  # fmt: skip

    @cached_property
    def reason(self) -> ReasonRule | None:
        return told_places.reason(self)

    @cached_property
    def place(self) -> Location | None:
        return told_places.place(self)

    @cached_property
    def status(self) -> str | None:
        return told_places.status(self)

    @cached_property
    def wants_stock(self) -> bool:
        ours = self.said.ships and self.model.restocking.actor == "returnflow"
        if not ours or (self.line is not None and self.line.gift_card):
            return False
        return self.grade is None or self.gone or self.status is not None

    @cached_property
    def wants_money(self) -> bool:
        return self.means != "none" and (self.model.refunding.damaged_is_refunded or self.grade != "damaged")
