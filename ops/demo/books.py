"""The sandbox's books as records: what really moved, what was really paid, how each order stands. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Stock that moved; not `applied`: the shop let it fall silently."""

    sku: str
    location_id: int
    name: str
    delta: int
    cause: str
    actor: str
    reference: str | None
    order: str | None
    applied: bool


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """Money or worth that left; a transaction that changed its state is there once for each."""

    kind: str
    id: int
    amount: str
    currency: str
    status: str
    gateway: str
    actor: str
    note: str | None
    order: str | None
    customer_id: int | None


class OrderNow(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands."""

    id: int
    tags: list[str]
    note: str | None
    metafields: dict[str, str]


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """All of a shop, or of several. `findings`: what the sandbox itself holds to be impossible."""

    movements: list[Moved]
    money: list[Paid]
    orders: dict[str, OrderNow]
    findings: list[dict[str, str]]


def read_books(reply: dict[str, Any]) -> Books:
    """The control door's reply as records."""
    return msgspec.convert(reply, Books)


def together(shops: Iterable[Books]) -> Books:
    """Several shops as one: their ids are distinct, and so must be the names of their orders."""
    every = list(shops)
    orders = {name: order for books in every for name, order in books.orders.items()}
    if len(orders) != sum(len(books.orders) for books in every):
        raise ValueError("expected the names of orders to be distinct in all shops")
    return Books(
        movements=[each for books in every for each in books.movements],
        money=[each for books in every for each in books.money],
        orders=orders,
        findings=[each for books in every for each in books.findings],
    )
