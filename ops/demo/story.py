"""What a scenario is made of: returns with a one-line story, the steps of the day, and the expected end of each."""

from typing import Any

import msgspec

Body = dict[str, Any]


class Rma(msgspec.Struct, frozen=True, kw_only=True):
    """A step in ReturnGO on the story's RMA: approve, ship, receive, validate, transaction, cancel, …"""

    step: str
    body: Body = {}


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people do directly in the shop: refund, return, location, …"""

    action: str
    body: Body = {}


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """The warehouse's own signed inspection, through our door."""

    lines: tuple[Body, ...]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something goes wrong at a system or on a webhook's way."""

    body: Body


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """`kill -9` of one of our processes."""

    process: str


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """The customer asks for the return: the RMA comes into being."""

    body: Body = {}


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """The order is placed during the day; otherwise it is there in the morning."""


Step = Rma | Staff | Inspected | Fault | Kill | Requested | Sold


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that must have moved by the end of the day, and never more."""

    sku: str
    quantity: int
    location_id: int = 101
    name: str = "available"


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """Money or worth that must have left, in the order's currency."""

    amount: str
    gateway: str = "shopify_payments"  # or gift_card (a tender that is repaid), store_credit, new_gift_card
    currency: str = "ZAR"


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How the return must stand when the day is over."""

    stock: tuple[Moved, ...] = ()
    paid: tuple[Paid, ...] = ()
    open: tuple[str, ...] = ()  # types of exceptions that wait for a person
    tags: tuple[str, ...] = ()  # ours that stand on the order


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One return. `shop`: whose; "" is the shop of the worked example."""

    shop: str = ""
    name: str
    story: str
    order: Body
    units: tuple[Body, ...]
    day: tuple[tuple[str, Step], ...]  # (time of the shop's day, step)
    end: End


def morning(stories: tuple[Story, ...], shop: str = "") -> tuple[Body, ...]:
    """Orders that are there before the day begins."""
    mine = (s for s in stories if s.shop == shop)
    return tuple(s.order for s in mine if not any(isinstance(step, Sold) for _, step in s.day))
