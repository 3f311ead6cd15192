"""What was decided and not yet forgotten: the outbox. An id keeps the content it was first decided with, for ever.

A decision is kept in its own compact form and turned into the very same record whenever it is emitted again. The tags
tell the kinds apart in stored rows.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from schemas.commands import CommandKind
from schemas.stock import StockStatus
from streams.domain.learnt import Rma, Step


class Share(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """Units of a line and what they come to."""

    line_id: str
    quantity: int
    amount_minor: int
    leeway_minor: int = 0  # how far rounding alone may take another's figure from it
    last: bool = False  # nothing of the line is left after it


class Repaid(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """How much goes back to which payment."""

    payment_id: str
    tender: str
    amount_minor: int
    rounding_minor: int = 0  # within the amount, > 0: more than due, because cash has no smaller coin
    coin_minor: int = 1  # it is paid in multiples of


class Restocking(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=1, gc=False):
    """Pieces of one SKU go into stock; the stock agent makes commands of it."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    sku: str
    line_id: str | None
    location_id: str
    quantity: int
    stock_status: StockStatus
    variant_id: str | None
    item_id: str | None
    piece: str  # identity of the physical piece, see allot.py; "": the one unit that it names
    generation: int = 0  # how many movements of the piece came before, see movements.py
    grade: str = ""  # what the inspection said when it was decided
    as_bundle: bool = False  # a bundle goes into stock as such, not as its components
    stocked_before: bool = False  # the goods were in stock before and taken out again, or are now
    options: tuple[str, ...] = ()  # values of what was returned, such as size and colour
    told_sku: str = ""  # what the return calls it, where its ids say that it is `sku`

    @property
    def moved(self) -> str:
        """What moves, the same through all of its movements."""
        return self.piece or f"{self.rma_id}/{self.unit_ids[0]}"


def graded(disposition: str | None, source: str, location: str) -> str:
    """What an inspection said, as far as it decides a movement."""
    return f"{disposition}@{source}:{location}"


class Paying(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=2, gc=False):
    """Money goes back to the order's payments."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    tenders: tuple[Repaid, ...]
    tolerance_minor: int
    shipping_minor: int
    fees_minor: int
    tax_minor: int = 0
    duties_minor: int = 0
    rounding_minor: int = 0  # > 0: more than due, because cash has no smaller coin
    exchange_id: str = ""  # the Exchanging whose difference this is
    carried_minor: int = 0  # fees kept back beyond those of its own units; below zero: less than those


class Crediting(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=3, gc=False):
    """The value goes to the customer as store credit or a gift card."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    form: Literal["store_credit", "gift_card"]
    customer_id: str
    tenders: tuple[Repaid, ...] = ()  # whose money it is
    tax_minor: int = 0
    bonus_minor: int = 0  # within the amount, and no customer's money
    carried_minor: int = 0  # as of a refund


class Exchanging(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=4, gc=False):
    """The exchange order is released; `shares` is the value that went into it."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    draft_order_id: str | None
    exchange_order_id: str | None
    tenders: tuple[Repaid, ...] = ()  # whose money it is
    difference_minor: int = 0  # > 0: the customer pays it, < 0: it is paid back once the order is released
    carried_minor: int = 0  # as of a refund


class Booking(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=5, gc=False):
    """A confirmed refund is booked in a system that did not pay it, with the value that was paid."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    tax_minor: int
    shares: tuple[Share, ...]
    refund_id: str
    refunded_by: str
    shipping_minor: int = 0


class Said(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """What a mark says to people."""

    aspect: Literal["tags", "note", "comment", "status", "transaction"]
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    text: str | None = None
    status: str | None = None
    transaction_id: str | None = None
    failed: bool = False  # the transaction
    external_id: str | None = None


class Marking(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=6, gc=False):
    """A mark for people. No effect on stock or money. There are many and they are long, so what they say stays packed
    until it is emitted, and is forgotten once a result came."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    subject: str  # what it is about, within its RMA
    said: bytes  # msgpack of `Said`
    generation: int = 0


Money = Paying | Crediting | Exchanging
Decision = Restocking | Money | Booking | Marking

KINDS: dict[type[Decision], CommandKind] = {
    Restocking: "restock", Paying: "refund", Crediting: "store_credit", Exchanging: "exchange", Booking: "journal",
    Marking: "annotate",
}  # fmt: skip

_ASKED: dict[type[Money], tuple[str, ...]] = {Paying: ("refund",), Crediting: ("store_credit", "gift_card")}


def repays(step: Step) -> bool:
    """Whether it says that ReturnGO itself has paid back, by whatever means."""
    return step.status == "success" and step.kind in ("refund", "store_credit", "gift_card")


def repaid_by_returngo(rma: Rma, exchange: Exchanging) -> list[Step]:
    """What ReturnGO itself paid back for units of an exchange, by whatever means: it is not to be paid again."""
    units = set(exchange.unit_ids)
    done = [step for _, step in sorted(rma.steps.items()) if repays(step)]
    return [s for s in done if units.intersection(s.unit_ids) or (not s.unit_ids and set(rma.units) <= units)]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What ReturnGO asks one payment to be: by one request, or by several that each name a part of its units."""

    steps: tuple[Step, ...]

    @property
    def amount_minor(self) -> int | None:
        amounts = [step.amount_minor for step in self.steps]
        return None if None in amounts else sum(amount or 0 for amount in amounts)

    @property
    def currency(self) -> str | None:
        return "+".join(sorted({step.currency for step in self.steps if step.currency is not None})) or None


def in_parts(steps: Iterable[Step], units: set[str]) -> Asked | None:
    """The newest requests for parts of these units, where they name each of them once."""
    by_units = {s.unit_ids: s for s in sorted(steps, key=lambda s: s.stamp) if s.unit_ids and set(s.unit_ids) < units}
    if not by_units or sorted(unit_id for unit_ids in by_units for unit_id in unit_ids) != sorted(units):
        return None
    return Asked(tuple(sorted(by_units.values(), key=lambda s: s.transaction_id)))


def asked(rma: Rma, decision: Money) -> list[Asked]:
    """ReturnGO's requests that a payment answers: of its kind, for units of it or for the return as a whole, which the
    difference of an exchange is only where everything was exchanged."""
    kinds = _ASKED.get(type(decision), ()) if decision.unit_ids else ()  # nobody asks for shipping by itself
    steps = [step for _, step in sorted(rma.steps.items()) if step.kind in kinds and step.status == "requested"]
    units = set(decision.unit_ids)
    whole = not (isinstance(decision, Paying) and decision.exchange_id) or set(rma.units) <= units
    found = [step for step in steps if set(step.unit_ids) <= units and (step.unit_ids or whole)]
    parts = in_parts(found, units)
    if parts is None:
        return [Asked((step,)) for step in found]
    return [parts, *(Asked((step,)) for step in found if not step.unit_ids or set(step.unit_ids) == units)]
