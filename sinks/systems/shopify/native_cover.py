"""What the shop's own returns say about one line of an order: how many units are still to be disposed of, and by whom
the others were.
"""

import msgspec

from schemas.commands import Restock
from sinks.contract import ReadFlow
from sinks.outcomes import Deferred, Rejected
from sinks.systems.ended import Ended
from sinks.systems.shopify import marks, pages
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid
from sinks.systems.shopify.pages import Row
from sinks.systems.shopify.shapes import Nodes, Ref, Shape

_OF_ORDER = {"returns": "after", "metafields": "marks"}
_OF_RETURN = {"reverseFulfillmentOrders": "after"}


class Disposition(Shape, frozen=True):
    id: str
    type: str
    quantity: int
    location: Ref | None = None


class ReturnedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one order line in one reverse fulfilment order."""

    id: str
    sold_line: str  # global id of the order's line, "" for a custom one
    order: str  # global id of the reverse fulfilment order
    shop_return: str
    is_open: bool
    total: int
    dispositions: tuple[Disposition, ...]

    @property
    def undisposed(self) -> int:
        return max(0, self.total - sum(d.quantity for d in self.dispositions)) if self.is_open else 0


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """The returns of an order, seen from one of its lines."""

    sold_line: str
    lines: tuple[ReturnedLine, ...] = ()  # of every line of the order
    commands: dict[str, str] = {}  # which of our commands made a disposition
    cut_off: bool = False  # there is more than was read

    @property
    def own(self) -> tuple[ReturnedLine, ...]:
        return tuple(line for line in self.lines if line.sold_line == self.sold_line)

    @property
    def undisposed(self) -> int:
        return sum(line.undisposed for line in self.own)

    @property
    def restocked(self) -> tuple[Disposition, ...]:
        return tuple(d for line in self.own for d in line.dispositions if d.type == "RESTOCKED")

    def completed(self, shop_return: str, more: int) -> bool:
        """Whether `more` disposed units leave nothing to dispose of in a return."""
        left = sum(line.undisposed for line in self.lines if line.shop_return == shop_return)
        return not self.cut_off and left == more


def read(c: Connection, order_id: str, line_id: str) -> ReadFlow[Cover]:
    """All returns of the order; Ended when the order is gone."""
    order = yield from whole(c, order_id)
    if order is None:
        raise Ended(Deferred(reason="order_not_readable"))
    lines = [line for each in order["returns"]["nodes"] for line in _lines(each)]
    return Cover(
        sold_line=gid("LineItem", line_id),
        lines=tuple(lines),
        commands=marks.disposition_commands(order),
        cut_off=not order["complete"],
    )


def whole(c: Connection, order_id: str) -> ReadFlow[Row | None]:
    """The order with `metafields` and `returns` over all pages; `complete` is False when a part was cut off."""
    variables = {"id": gid("Order", order_id)}
    order = yield from pages.object_of(c, "order_returns", variables, "order", _OF_ORDER)
    if order is None:
        return None
    found, complete = [], order["complete"]
    for each in order["returns"]["nodes"]:
        filled, whole_return = yield from _filled(c, each)
        found.append(filled)
        complete = complete and whole_return
    return {**order, "returns": {"nodes": found}, "complete": complete}


def _filled(c: Connection, shop_return: Row) -> ReadFlow[tuple[Row, bool]]:
    """A return with all its reverse orders and all their lines, and whether that is all."""
    listed, complete = shop_return["reverseFulfillmentOrders"], True
    if listed["pageInfo"]["hasNextPage"]:
        rest = yield from pages.object_of(c, "return_orders", {"id": shop_return["id"]}, "return", _OF_RETURN)
        listed, complete = (rest["reverseFulfillmentOrders"], rest["complete"]) if rest else (listed, False)
    reverse_orders = []
    for each in listed["nodes"]:
        lines = each["lineItems"]
        if lines["pageInfo"]["hasNextPage"]:
            rest = yield from pages.object_of(
                c, "reverse_order_lines", {"id": each["id"]}, "reverseFulfillmentOrder", {"lineItems": "after"}
            )
            lines, complete = (rest["lineItems"], complete and rest["complete"]) if rest else (lines, False)
        reverse_orders.append({**each, "lineItems": lines})
    return {**shop_return, "reverseFulfillmentOrders": {"nodes": reverse_orders}}, complete


def belongs(cover: Cover, command: Restock) -> bool:
    """Whether a return waits for these units. Ended when somebody else may have put them back already."""
    if cover.undisposed >= command.quantity:
        return True
    others = sum(d.quantity for d in cover.restocked if d.id not in cover.commands)
    if others:
        detail = (
            f"{command.sku}: {others} units of line {command.line_id} were put back through the shop's return by "
            f"somebody else, {cover.undisposed} are left for our {command.quantity}"
        )
        raise Ended(Rejected(code="restock_outside_workflow", detail=detail))
    if cover.cut_off:
        detail = f"order {command.order_id} has more returns, lines or marks than can be read: restock by hand"
        raise Ended(Rejected(code="rejected_by_system", detail=detail))
    return False


class _Sold(Shape, frozen=True):
    line_item: Ref | None = None


class _Line(Shape, frozen=True):
    id: str
    total_quantity: int
    dispositions: tuple[Disposition, ...]
    fulfillment_line_item: _Sold | None = None


class _Fulfilment(Shape, frozen=True):
    id: str
    line_items: Nodes[_Line]


class _Return(Shape, frozen=True):
    id: str
    status: str
    reverse_fulfillment_orders: Nodes[_Fulfilment]


def _lines(shop_return: Row) -> list[ReturnedLine]:
    shaped = msgspec.convert(shop_return, _Return)
    return [
        ReturnedLine(
            id=line.id,
            sold_line=line.fulfillment_line_item.line_item.id
            if line.fulfillment_line_item and line.fulfillment_line_item.line_item
            else "",
            order=fulfilment.id,
            shop_return=shaped.id,
            is_open=shaped.status == "OPEN",
            total=line.total_quantity,
            dispositions=line.dispositions,
        )
        for fulfilment in shaped.reverse_fulfillment_orders.nodes
        for line in fulfilment.line_items.nodes
    ]
