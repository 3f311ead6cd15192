"""A whole return in a running sandbox: an order, its return, the parcel, the inspection. Touches the sandbox's control
door and, where the warehouse inspects, our gateway.
"""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from ops.demo.client import Sandbox, Warehouse
from ops.demo.words import GRADES
from schemas.merchant import Merchant
from schemas.startup import CannotStart

Grade = Literal["sellable", "damaged", "missing"]
STEPS = ("requested", "approved", "shipped", "received", "inspected")
SUBSCRIBED_WITHIN_SECONDS = 30.0
CUSTOMER = 1001  # whom every shop of the sandbox has
Tell = Callable[[str], object]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What comes back; without an order one is placed first, without a SKU the shop's first goods are sold."""

    order: str | None = None
    sku: str | None = None
    quantity: int = 1
    grade: Grade = "sellable"
    reason: str | None = None  # None: the first that the merchant file knows
    until: str = "inspected"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How far it was taken; `tracking` once a parcel is on its way."""

    rma: str
    order: str
    merchant: str
    sku: str
    quantity: int
    grade: Grade | None
    tracking: str | None


def make(sandbox: Sandbox, merchant: Merchant, warehouse: Warehouse | None, wanted: Wanted, tell: Tell) -> Made:
    """The return, taken as far as it is wanted; `tell` hears of each step. Raises CannotStart and client.Refused."""
    system = merchant.systems.shopify
    if system is None:
        raise CannotStart(f"merchant {merchant.merchant} has no [systems.shopify]: the sandbox plays no shop for it")
    shop = system.shop
    if system.webhook_url is not None:
        _wait_until_heard(sandbox, shop, tell)
    order, sku = _order(sandbox, shop, wanted)
    tell(f"order {order} of {merchant.merchant}: {wanted.quantity} × {sku}")
    reason = wanted.reason or _reason(merchant)
    unit = {"sku": sku, "quantity": wanted.quantity, "reason": reason}
    rma = sandbox.request(shop, {"order": order, "units": [unit]})
    tell(f"return {rma} requested: {reason}")
    last, tracking = STEPS.index(wanted.until), None
    if last >= STEPS.index("approved"):
        sandbox.step(shop, rma, "approve", {})
        tell("approved")
    if last >= STEPS.index("shipped"):
        tracking = str(sandbox.step(shop, rma, "ship", {})["tracking_number"])
        sandbox.step(shop, rma, "track", {})
        tell(f"shipped, in transit as {tracking}")
    if last >= STEPS.index("received"):
        sandbox.step(shop, rma, "receive", {})
        tell("received by the warehouse")
    if last >= STEPS.index("inspected"):
        place = _inspect(sandbox, shop, warehouse, merchant, rma, sku, wanted)
        tell(f"inspected: {wanted.grade}{f', at {place!r}' if place else ''}")
    return Made(
        rma=rma, order=order, merchant=merchant.merchant, sku=sku, quantity=wanted.quantity,
        grade=wanted.grade if wanted.until == "inspected" else None, tracking=tracking,
    )  # fmt: skip


def _wait_until_heard(sandbox: Sandbox, shop: str, tell: Tell) -> None:
    """Until both systems know where to send, as for a file that was written just now."""
    began, before, now = time.monotonic(), -1, sandbox.subscriptions(shop)
    if now:
        return
    tell("waiting until Returnflow has subscribed to the shop's webhooks …")
    while not 0 < now == before:
        if time.monotonic() - began > SUBSCRIBED_WITHIN_SECONDS:
            tell("it has not: what follows is found when it asks the shop, within minutes")
            return
        time.sleep(0.5)
        before, now = now, sandbox.subscriptions(shop)


def _order(sandbox: Sandbox, shop: str, wanted: Wanted) -> tuple[str, str]:
    """Its name, and the SKU that comes back from it."""
    books = sandbox.books_of(shop)
    if wanted.order is not None:
        name = f"#{wanted.order.lstrip('#')}"
        if name not in books["orders"]:
            raise CannotStart(f"order {name} is not in {shop}; it has {', '.join(books['orders']) or 'none'}")
        return name, wanted.sku or str(books["orders"][name]["units"][0]["sku"])
    stocked = [str(level["sku"]) for level in books["stock"] if level["after"]["available"] >= wanted.quantity]
    if not (wanted.sku or stocked):
        raise CannotStart(f"nothing is left in the stock of {shop}: name what was sold with --sku")
    sku = wanted.sku or stocked[0]
    numbers = [int(name.lstrip("#")) for name in books["orders"] if name.lstrip("#").isdecimal()]
    name = f"#{max(numbers, default=1000) + 1}"
    sandbox.sell(shop, {"name": name, "customer_id": CUSTOMER, "lines": [{"sku": sku, "quantity": wanted.quantity}]})
    return name, sku


def _inspect(
    sandbox: Sandbox, shop: str, warehouse: Warehouse | None, merchant: Merchant, rma: str, sku: str, wanted: Wanted
) -> str:
    """By whoever inspects for the merchant, at the first place that its file maps; the place as it was named."""
    if warehouse is not None:
        place = _place(merchant, "warehouse", wanted.grade)
        line = {"sku": sku, "quantity": wanted.quantity, "grade": wanted.grade, "location": place}
        warehouse.inspected(rma, ({name: each for name, each in line.items() if each},))
        return place
    place = _place(merchant, "returngo", wanted.grade)
    unit = {**GRADES[wanted.grade], "location_id": place or None}
    sandbox.step(shop, rma, "validate", {"units": [{"unit": number, **unit} for number in range(wanted.quantity)]})
    return place


def _reason(merchant: Merchant) -> str:
    return next((each.reason for each in merchant.reasons if each.reason != "*"), "Does not fit")


def _place(merchant: Merchant, source: str, grade: Grade) -> str:
    fitting = [
        each.code
        for each in merchant.locations
        if each.source == source and each.active and each.disposition in ("any", grade)
    ]
    return fitting[0] if fitting else ""
