"""What customers, merchants and ReturnGO's automation do to an RMA: the steps of the control door."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from ops.sandbox.returngo import changes
from ops.sandbox.returngo.store import Rma, Shipment, Store, Unit, Validation
from ops.sandbox.returngo.views import Json
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.aftersales import ReturnLine
from ops.sandbox.shopify.returns import open_return, returnable
from ops.sandbox.shopify.sales import FulfillmentLine, Order
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.world import World

DASHBOARD = "Dashboard"


@dataclass(slots=True, kw_only=True, frozen=True)
class Case:
    """An RMA with where it lives."""

    world: World
    shop: Shop
    store: Store
    rma: Rma

    def action(self) -> Action:
        """Something ReturnGO does in Shopify."""
        return Action(self.world, self.shop, "returngo")

    def units(self, given: list[str | int] | None) -> list[Unit]:
        """The named units, or all. A small number is a place in the RMA's list."""
        if given is None:
            return self.rma.units
        return [self.unit(each) for each in given]

    def unit(self, given: str | int) -> Unit:
        """A unit by its id, or by its place in the list."""
        number = int(given)
        found = next((unit for unit in self.rma.units if unit.id == number), None)
        if found is None and 0 <= number < len(self.rma.units):
            found = self.rma.units[number]
        if found is None:
            raise ValueError(f"RMA {self.rma.id} has no unit {given}; it has {[unit.id for unit in self.rma.units]}")
        return found


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step without details."""


def approve(case: Case, _given: Nothing) -> Json:
    """Approved: a shipment with its label, and in Shopify a note in the timeline or a native return, by the store's
    setting."""
    world, store, rma = case.world, case.store, case.rma
    changes.set_status(world, store, rma, "Approved", DASHBOARD)
    if rma.return_method != "No shipment required" and not rma.shipments:
        shipment = Shipment(id=world.number("shipment", 9_700_001))
        rma.shipments.append(shipment)
        for unit in rma.units:
            unit.shipment_id = shipment.id
        changes.shipment_created(world, store, rma, shipment)
    native = _native_return(case) if store.creates_native_return else None
    return {"shipment_id": rma.shipments[0].id if rma.shipments else None, "native_return": native}


def _native_return(case: Case) -> str | None:
    order = case.shop.numbered(Order, case.rma.order_id)
    if order is None:
        return None
    action = case.action()
    wanted: dict[int, int] = {}
    for unit in case.rma.units:
        wanted[unit.line_item_id] = wanted.get(unit.line_item_id, 0) + 1
    lines = [
        _return_line(action, sent, min(wanted[sent.line_item.number], returnable(order, sent)))
        for parcel in order.fulfillments
        for sent in parcel.lines
        if min(wanted.get(sent.line_item.number, 0), returnable(order, sent)) > 0
    ]
    if not lines:
        return None
    native = open_return(action, order, lines, [])
    action.publish()
    text = f"Created & approved Shopify return {native.name} for order {order.name}"
    changes.comment(case.world, case.rma, "system", "Automation", text)
    return native.name


def _return_line(action: Action, sent: FulfillmentLine, units: int) -> ReturnLine:
    return ReturnLine(
        number=action.number(ReturnLine),
        fulfillment_line_item=sent,
        quantity=units,
        return_reason="UNKNOWN",
        return_reason_note="",
        reason_definition=None,
    )


class Ship(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parcel was handed over."""

    tracking_number: str | None = None


def ship(case: Case, given: Ship) -> Json:
    """Shipped: only the shipment changes."""
    shipment = _parcel(case)
    shipment.carrier = "Example Courier"
    shipment.tracking_number = given.tracking_number or f"EX-{shipment.id}"
    changes.set_shipment(case.world, case.store, case.rma, shipment, "Shipped", "Automation")
    return {"tracking_number": shipment.tracking_number}


class Track(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A carrier scan."""

    status: str = "IN TRANSIT"


def track(case: Case, given: Track) -> Json:
    """The carrier scanned the parcel."""
    changes.tracked(case.world, case.store, case.rma, _parcel(case), given.status)
    return {}


class Receive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`only_shipment`: the RMA's own status stays, as when a warehouse marks only the parcel."""

    only_shipment: bool = False


def receive(case: Case, given: Receive) -> Json:
    """The parcel is there; nobody has looked inside."""
    changes.set_shipment(case.world, case.store, case.rma, _parcel(case), "Received", DASHBOARD)
    if not given.only_shipment:
        changes.set_status(case.world, case.store, case.rma, "Received", DASHBOARD)
    return {}


def _parcel(case: Case) -> Shipment:
    if not case.rma.shipments:
        raise ValueError(f"RMA {case.rma.id} has no shipment: approve it first, and not with 'No shipment required'")
    return case.rma.shipments[0]


class Graded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the inspection says of one unit."""

    unit: str | int
    returned: bool = True
    restockable: bool = True
    reason: str | None = None
    location_id: int | str | None = None  # ReturnGO's id of the place: of digits in most stores


class Validate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An inspection of some units."""

    units: list[Graded]


def validate(case: Case, given: Validate) -> Json:
    """Inspected. When no unit is left the parcel and the RMA are Validated; before that nothing is announced and
    lastUpdated stays."""
    world, store, rma = case.world, case.store, case.rma
    for each in given.units:
        place = str(each.location_id) if each.location_id is not None else None
        case.unit(each.unit).validation = Validation(
            returned=each.returned,
            restockable=each.restockable,
            reason=each.reason,
            store_location_id=place,
            at=world.clock.now(),
        )
    if all(unit.validation.at for unit in rma.units):
        for shipment in rma.shipments:
            changes.set_shipment(world, store, rma, shipment, "Validated", DASHBOARD)
        changes.set_status(world, store, rma, "Validated", DASHBOARD)
    return {"left": [unit.id for unit in rma.units if unit.validation.at is None]}


class Remark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant's comment."""

    html: str


def remark(case: Case, given: Remark) -> Json:
    """Somebody writes a comment."""
    changes.comment(case.world, case.rma, "merchant", "Merchant", given.html)
    return {}


class Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change to one unit of the request."""

    unit: str | int
    reason: str | None = None
    resolution: str | None = None
    paid_price: Decimal | None = None


def edit(case: Case, given: Edit) -> Json:
    """The request is edited: lastUpdated moves, nothing is announced."""
    unit = case.unit(given.unit)
    unit.reason = given.reason or unit.reason
    unit.resolution = given.resolution or unit.resolution
    unit.paid_price = unit.paid_price if given.paid_price is None else given.paid_price
    case.rma.updated_at = case.world.clock.now()
    return {}


def _status(status: str) -> Callable[[Case, Nothing], Json]:
    def change(case: Case, _given: Nothing) -> Json:
        changes.set_status(case.world, case.store, case.rma, status, DASHBOARD)
        return {}

    return change


reject, cancel, reopen, done = _status("Rejected"), _status("Canceled"), _status("Approved"), _status("Done")
