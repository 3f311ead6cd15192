"""What is known of one order and its returns: the sum of its facts, whatever order they came in.

Every field has a merge that is commutative, associative and idempotent: the newest wins, the earliest wins, or a set
grows. Rows are stored as arrays, so fields are only ever added at the end, with a default.
"""

from typing import Literal
from zlib import crc32

import msgspec

from schemas.commands import CommandOutcome, Suggestion
from schemas.facts import Actor, Disposition, EffectKind, ObservedEffect, OrderSnapshot, Resolution, ReturnEvent
from schemas.stock import StockItem, StockLevel

_CHECKSUMS = 2**32


class Stamp(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """When something was so, and which of two words under one time was read later."""

    at_ms: int
    tie: int  # the order of reading; less than nothing: a fact that has none, told apart by a checksum of its id


def stamped(fact: ReturnEvent | OrderSnapshot | ObservedEffect | StockItem | StockLevel, at_ms: int) -> Stamp:
    """When a fact says that something was so. Facts without an order of reading have to come out alike in whatever
    sequence they come, and nothing but their ids tells them apart."""
    return Stamp(at_ms, fact.read_order if fact.read_order > 0 else crc32(fact.fact_id.encode()) - _CHECKSUMS)


class Noted(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """A value with the time from which it holds."""

    stamp: Stamp
    value: str


class Inspection(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """What one source found when it looked at a unit."""

    stamp: Stamp
    disposition: Disposition
    location: str  # as the source names it, "" when it names none
    reason: str


class Described(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """A returned unit as the returns platform describes it. Amounts are of the whole `quantity`."""

    rank: int  # 1: said by the returns platform, 0: by anyone else
    stamp: Stamp
    line_id: str | None
    sku: str
    quantity: int
    variant_id: str | None
    reason: str
    resolution: Resolution
    ships: bool
    paid_minor: int | None  # with tax
    fees_minor: int
    currency: str | None
    tax_minor: int | None = None  # within `paid_minor`
    exchange_minor: int | None = None  # what is sent instead costs, with tax
    paid_rest: int = 0  # what rounding took off `paid_minor`, in millionths of a minor unit
    tax_rest: int = 0
    options: tuple[str, ...] = ()  # values of its options


class Unit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One returned unit and the milestones it has reached."""

    unit_id: str
    said: Described
    scanned: Stamp | None = None  # earliest carrier scan
    received: Stamp | None = None  # earliest arrival
    inspections: dict[str, Inspection] = {}  # newest, by source


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A payment step that the returns platform asked for or reports."""

    rank: int  # requested 0, failed 1, success 2
    stamp: Stamp
    transaction_id: str
    kind: str
    status: Literal["requested", "success", "failed", "unknown"]
    amount_minor: int | None
    currency: str | None
    external_id: str | None
    unit_ids: tuple[str, ...]


class Roster(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """All units of an RMA, as it was asked for or edited last."""

    stamp: Stamp
    unit_ids: tuple[str, ...]


class Rma(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One return of the order."""

    rma_id: str
    marks: dict[str, Stamp] = {}  # newest milestone of each kind; request, approval, scan and arrival: the earliest
    units: dict[str, Unit] = {}
    steps: dict[str, Step] = {}
    draft_order: Noted | None = None
    exchange_order: Noted | None = None
    tracking: Noted | None = None
    carrier: Noted | None = None
    roster: Roster | None = None
    ended: dict[str, Stamp] = {}  # earliest cancellation and expiry: ReturnGO repeats them with every later change


class Claim(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """`quantity` pieces that a source counted without naming units; `rma_id` "" when it knew only the order."""

    stamp: Stamp
    fact_id: str
    position: int  # within its fact
    source: str
    rma_id: str
    line_id: str
    sku: str
    quantity: int
    disposition: Disposition | None  # None: it arrived, nobody looked at it yet
    location: str
    reason: str


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A line as sold. `net_minor` is what its whole quantity cost: discounts off, tax in, duties left out."""

    line_id: str
    sku: str
    quantity: int
    net_minor: int
    variant_id: str | None
    item_id: str | None
    gift_card: bool
    bundle_sku: str | None
    bundle_quantity: int
    price_minor: int = 0  # before discounts
    discount_minor: int = 0  # of the line itself
    order_discount_minor: int = 0  # its share of what was given across the order
    tax_minor: int = 0  # within `net_minor`
    duty_minor: int = 0
    rounding_minor: int = 0  # how far rounding alone can take what one unit comes to; 0: its units are all alike
    odd_minor: int = 0  # what is left over when it is split evenly
    group: str = ""  # the sold bundle that it is a component of: one SKU may be sold twice in one order
    removed: int = 0  # units that were taken off the order without a refund
    sent: int | None = None  # units that ever left; None: nobody knows
    ships: bool = True  # False: nothing of it can come back

    @property
    def sold(self) -> int:
        """Units that were bought and not taken off the order again."""
        return max(self.quantity - self.removed, 0)


class Tender(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A payment of the order."""

    payment_id: str
    name: str
    status: Literal["success", "pending", "failed"]
    amount_minor: int
    shop_minor: int | None = None  # the same in the shop's currency


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The order as the system of record has it; the newest version."""

    stamp: Stamp
    system: str
    name: str
    created_at_ms: int
    currency: str
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    shipping_minor: int  # with tax
    customer_id: str | None
    archived: bool
    complete: bool
    shop_currency: str = ""
    taxes_included: bool = True
    shipping_tax_minor: int = 0  # within `shipping_minor`
    source: str = ""  # how it was sold, in its system's words
    store: str = ""  # where it was sold, "" when nowhere in particular
    tags: tuple[str, ...] = ()
    total_minor: int | None = None
    cancelled: bool = False


class Moved(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Units of a line that an effect covers."""

    line_id: str
    quantity: int
    restocked: bool
    unsent: bool = False  # taken off the order before they were sent
    amount_minor: int = -1  # what its system says they are worth, with tax; below zero: not told


class Effect(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A refund, restock or other effect that a system shows, whoever made it."""

    rank: tuple[int, int]  # (how far its money has come, a fact of its own beats the order's list)
    stamp: Stamp
    kind: EffectKind
    external_id: str
    actor: Actor
    total_minor: int  # what left, failed transactions not counted
    currency: str | None
    moved: tuple[Moved, ...]
    tenders: tuple[tuple[str, int], ...]  # (payment id, minor)
    command_id: str | None
    rma_id: str | None
    tax_minor: int | None = None
    said_minor: int | None = None  # the total as it was said, where it was less than nothing
    shop: tuple[tuple[str, int | None], ...] = ()  # (payment id, minor of the shop's currency)
    system: str = ""  # that shows it
    updated_ms: int = 0  # when its system last changed it
    failed_minor: int = 0  # what was to leave with it, and failed
    shipping_minor: int = 0  # within the total


class Result(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a command ended."""

    outcome: CommandOutcome
    at_ms: int
    code: str = ""
    detail: str = ""
    external_ids: dict[str, str] = {}
    amount_minor: int | None = None
    currency: str | None = None  # of the amount
    tax_minor: int | None = None
    suggested: Suggestion | None = None  # the figure that ours was refused by


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The stock agent's newest word on an intent."""

    rank: int  # waiting 0, impossible 1, commanded 2, confirmed by the journal 3
    stamp: Stamp
    verdict: str
    reason: str
    detail: str
    command_ids: tuple[str, ...]


class Learnt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All of it."""

    merchant: str
    order_id: str
    first_ms: int  # earliest time any fact names
    fact_ms: int  # latest time any fact but a deadline names
    clock_ms: int = 0  # latest deadline that came: the only clock that deadlines are measured with
    order: Order | None = None
    rmas: dict[str, Rma] = {}
    claims: tuple[Claim, ...] = ()  # sorted
    effects: dict[str, Effect] = {}
    results: dict[str, Result] = {}
    answers: dict[str, Answer] = {}
    sold_in: Noted | None = None  # the currency of the order's first version

    @property
    def now_ms(self) -> int:
        """The time of a decision: the latest that is known, so that a replay decides at the same time."""
        return max(self.fact_ms, self.clock_ms)
