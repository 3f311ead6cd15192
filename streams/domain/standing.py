"""Where each unit stands: its stage, the first guard it waits for on each track, and whether it is done."""

from typing import Literal

import msgspec

from schemas.merchant import Merchant
from streams.domain.seat import GONE, Seat, gone
from streams.domain.walk import MONEY, NOTHING, SETTLED, STOCK, Guard, Reason, first_unmet, wants_money, wants_stock

Stage = Literal[
    "requested", "approved", "in_transit", "received", "missing", "inspected", "restocking", "restocked", "refunding",
    "refunded", "credited", "exchanged", "closed", "rejected", "cancelled", "expired",
]  # fmt: skip
_PAID: dict[str, Stage] = {"refund": "refunded", "credit": "credited", "exchange": "exchanged"}
_STOPPED: dict[str, Stage] = {"rejected": "rejected", "cancelled": "cancelled", "expired": "expired"}


class Standing(msgspec.Struct):
    """One unit. `stock` and `money` are the guards its two tracks wait for; None: ready, decided or not wanted."""

    seat: Seat
    stage: Stage
    stock: Guard[Seat] | None
    money: Guard[Seat] | None
    settled: Guard[Seat] | None
    stock_ready: bool
    money_ready: bool
    closed: bool
    together: Reason | None = None  # what its payment as a whole waits for
    nothing_due: bool = False

    @property
    def waits_for(self) -> Reason:
        """The guard to show a person: one that needs somebody first, then stock, then money."""
        first: Reason | None = None
        for each in (self.stock, self.money, self.together, self.settled):
            if each is not None:
                if each.raises:
                    return each
                first = first or each
        return first or NOTHING


def stand(seat: Seat, rules: Merchant) -> Standing:
    """Asks the guards of both tracks as far as they are still to be walked."""
    stock = money = settled = None
    comes_back = not seat.stopped or _taken_out_though_paid(seat)
    stock_todo = comes_back and seat.restocked == "undecided" and wants_stock(seat)
    money_todo = not seat.stopped and seat.money == "undecided" and wants_money(seat)
    if stock_todo:
        stock = first_unmet(STOCK, seat, rules)
    if money_todo:
        money = first_unmet(MONEY, seat, rules)
    if seat.restocked != "undecided" or seat.money != "undecided" or seat.booked is not None:
        settled = first_unmet(SETTLED, seat, rules)
    closed = bool(seat.stopped) and not stock_todo and "open" not in (seat.restocked, seat.money) and _booked(seat)
    return Standing(
        seat, _stage(seat), stock, money, settled, stock_todo and stock is None, money_todo and money is None, closed
    )


def _taken_out_though_paid(seat: Seat) -> bool:
    """Of a stopped return: goods that left stock before it was known that somebody had paid for them."""
    taken_out = seat.restocking is not None and seat.restocking.quantity < 0
    return taken_out and seat.money in ("open", "applied", "elsewhere")


def close(standing: Standing) -> None:
    """Closes a unit whose tracks are both walked; called once the payments are known."""
    seat = standing.seat
    if standing.closed or seat.stopped or not _booked(seat):
        return
    if gone(seat) and "resolved" in seat.rma.marks and "open" not in (seat.restocked, seat.money):
        standing.closed = True
    else:
        stock_done = seat.restocked in ("applied", "elsewhere") or not wants_stock(seat)
        unpaid = wants_money(seat) and not standing.nothing_due
        arrived = seat.found is not None or seat.restocked == "elsewhere" or not seat.unit.said.ships
        standing.closed = stock_done and arrived and (seat.money in ("applied", "elsewhere") or not unpaid)
    if standing.closed:
        standing.stage = "closed"


def _booked(seat: Seat) -> bool:
    return seat.booked in (None, "applied")


def _stage(seat: Seat) -> Stage:
    if seat.stopped:
        return _STOPPED[seat.stopped]
    if seat.money in ("applied", "elsewhere"):
        return _PAID.get(seat.kind, "refunded")
    if seat.money == "open":
        return "refunding"
    if seat.restocked in ("applied", "elsewhere"):
        return "restocked"
    if seat.restocked == "open":
        return "restocking"
    if seat.found is not None:
        return "missing" if seat.found.disposition in GONE else "inspected"
    if seat.arrived is not None:
        return "received"
    if scanned(seat):
        return "in_transit"
    return "approved" if "approved" in seat.rma.marks else "requested"


def scanned(seat: Seat) -> bool:
    """Whether a carrier has seen it."""
    return seat.unit.said.ships and (seat.unit.scanned is not None or "in_transit" in seat.rma.marks)
