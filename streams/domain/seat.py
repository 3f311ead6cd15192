"""A returned unit in its context: its RMA, its order line, what an inspection found, what was done for it by whom.

Seats are built anew for every decision and never stored.
"""

from typing import Literal

import msgspec

from schemas.facts import Disposition
from schemas.merchant import Location, Merchant, ReasonRule
from schemas.merchant_model import Model
from schemas.sku import meant, same_sku
from schemas.stock import StockStatus
from streams.domain.decided import Booking, Money, Restocking
from streams.domain.learnt import Answer, Effect, Inspection, Line, Order, Result, Rma, Stamp, Step, Unit

# How far one of the two tracks of a unit has come. `elsewhere`: someone else did it.
Track = Literal["undecided", "open", "applied", "refused", "elsewhere"]
Kind = Literal["refund", "credit", "exchange", "none", "unknown"]

_KINDS: dict[str, Kind] = {
    "refund": "refund", "keep": "refund", "store_credit": "credit", "gift_card": "credit", "exchange": "exchange",
    "none": "none",
}  # fmt: skip
STOPS = ("rejected", "cancelled", "expired")
GONE: tuple[Disposition, ...] = ("missing", "not_returned")


class Seat(msgspec.Struct):
    """One unit. `parts` are the order lines it takes units from: one, or the components of a bundle."""

    key: str  # RMA and unit
    rma: Rma
    unit: Unit
    kind: Kind
    order: Order | None
    parts: tuple[tuple[Line, int], ...]
    line: Line | None  # the first of them
    model: Model  # the operating model that governs it
    in_policy: bool
    stopped: str  # the milestone that ended the RMA early
    withdrawn: bool  # taken out of the return by an edit
    arrived: Stamp | None = None
    found: Inspection | None = None
    source: str = ""  # who found it
    dispute: str = ""  # two inspections that contradict each other
    counted: bool = False  # a source that counts pieces has counted this one
    unclear: str = ""  # a piece was counted that is this unit or one of another item: what must be told
    piece: str = ""  # identity of the physical piece for its restock
    returned: int = 0  # units of its line that are asked back or were paid back before
    bought: bool = True  # False: more units of the line are returned than were bought
    left: bool = True  # False: more of them than ever left the shop
    unsent: bool = False  # it was taken off the order before it was sent, and paid back with that
    reason: ReasonRule | None = None  # what the merchant says of its reason
    place: Location | None = None
    status: StockStatus | None = None  # None: these goods go into no stock
    bundle: "tuple[Seat, ...]" = ()  # all components that go into stock with it, as `bundle_sku`
    bundle_sku: str = ""
    incomplete: str = ""  # why its bundle cannot be put together
    restocked: Track = "undecided"
    restocking: Restocking | None = None  # the last movement of its goods
    moves: int = 0  # how many movements there were
    undo: Restocking | None = None  # the applied movement that is to be taken back
    answer: Answer | None = None
    restock_result: Result | None = None
    money: Track = "undecided"
    paying: Money | None = None
    money_result: Result | None = None
    paid_by: Effect | None = None  # an effect of someone else that covers this unit
    paid_step: Step | None = None  # ReturnGO's word that it was paid
    booking: Booking | None = None
    booked: Track | None = None  # None: nothing is to be booked

    @property
    def subject(self) -> str:
        """What an exception about it is about: its line, or its SKU while the line is unknown."""
        said = self.unit.said
        return said.line_id or said.sku or self.unit.unit_id

    @property
    def sku(self) -> str:
        return self.unit.said.sku or (self.parts[0][0].sku if len(self.parts) == 1 else "")


def kind_of(unit: Unit) -> Kind:
    """By what means it is paid back."""
    return _KINDS.get(unit.said.resolution, "unknown")


def as_bundle(seat: Seat) -> bool:
    """Whether it is named as a bundle, and not as the components that its order lines are."""
    said, line = seat.unit.said, seat.line
    if line is None or len(seat.parts) > 1:
        return len(seat.parts) > 1
    return same_sku(said.sku, line.bundle_sku) and not same_sku(said.sku, line.sku)


def as_numbered(seat: Seat) -> bool:
    """Whether the ids of its order line are those of the system that keeps its stock: each numbers items itself."""
    return seat.order is not None and seat.order.system == seat.model.stock


def names_item(seat: Seat) -> bool:
    """Whether it, or the order line it is of, says what stock it is: a line sold without variant and SKU has none."""
    line = seat.line
    if line is None or meant(seat.sku):
        return True
    return as_numbered(seat) and bool(line.item_id or line.variant_id or seat.unit.said.variant_id)


def same_variant(seat: Seat) -> bool | None:
    """What the ids say of whether it is what its order line sold; None: one of the two names no variant."""
    said, line = seat.unit.said.variant_id, seat.line
    if said is None or line is None or line.variant_id is None:
        return None
    if said != line.variant_id and (line.bundle_quantity or not as_numbered(seat)):
        return None  # it may be the variant of its bundle, or of another system
    return said == line.variant_id


def sku_agrees(seat: Seat) -> bool:
    """Whether what is returned is what its order line sold. Ids say it where both have one: a SKU may be renamed, or
    stand on several variants."""
    same = same_variant(seat)
    return _same_text(seat) if same is None else same


def _same_text(seat: Seat) -> bool:
    said, line = seat.unit.said.sku, seat.line
    return not said or line is None or not line.sku or same_sku(said, line.sku) or same_sku(said, line.bundle_sku)


def goods_as_sold(seat: Seat) -> bool:
    """Whether what comes back, if anything does, is what was sold: a renamed SKU is still its variant, and the shop's
    own people who put it back on the line have seen it."""
    seen = not seat.unit.said.ships or seat.restocked == "elsewhere"
    return seen or bool(same_variant(seat)) or _same_text(seat)


def gone(seat: Seat) -> bool:
    """Whether an inspection did not find it."""
    return seat.found is not None and seat.found.disposition in GONE


def ready_since_ms(seat: Seat) -> int:
    """Since when it could be paid, as far as its goods are concerned."""
    if seat.found is not None:
        return seat.found.stamp.at_ms
    approved = seat.rma.marks.get("approved")
    return seat.unit.said.stamp.at_ms if approved is None else approved.at_ms


def stopped(rma: Rma) -> str:
    """The milestone that stopped the RMA, "" while it is open: the newest of a stop and a reopening counts."""
    stops = [(rma.marks[kind], kind) for kind in STOPS if kind in rma.marks]
    if not stops:
        return ""
    stop, kind = max(stops)
    again = rma.marks.get("reopened")
    return "" if again is not None and again > stop else kind


def ended(rma: Rma) -> Stamp | None:
    """Since when the RMA is cancelled or expired; None: it is neither. A reopening ends the first of these words."""
    kind = stopped(rma)
    if kind not in ("cancelled", "expired"):
        return None
    first, again = rma.ended.get(kind, rma.marks[kind]), rma.marks.get("reopened")
    return rma.marks[kind] if again is not None and again > first else first


def units_known(rma: Rma) -> bool:
    """Whether the list of all its units came: only the request is that list, an approval may name some of them."""
    return "requested" in rma.marks


def withdrawn(rma: Rma) -> set[str]:
    """Units that an edit took out of the return: the newest list of its units is without them, and younger."""
    roster = rma.roster
    if roster is None:
        return set()
    missing = set(rma.units).difference(roster.unit_ids)
    return {unit_id for unit_id in missing if roster.stamp > rma.units[unit_id].said.stamp}


def model_of(order: Order | None, rules: Merchant, location: str = "") -> Model:
    """The operating model of an order's lines; of those that came back at `location`, once that is known."""
    if order is None or not rules.models:
        return rules.model
    return rules.governing(order.system, order.source, order.store, location)


def in_policy(rma: Rma, order: Order | None, model: Model) -> bool:
    """Requested within the merchant's window; without a window of its own ReturnGO decides."""
    days, asked = model.inspecting.policy_days, rma.marks.get("requested")
    if days is None or order is None or asked is None:
        return True
    return asked.at_ms - order.created_at_ms <= days * 86_400_000
