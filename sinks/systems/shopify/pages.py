"""Connections read to their ends, and lists that Shopify truncates without a word."""

from collections.abc import Mapping
from typing import Any

from sinks.contract import ReadFlow
from sinks.systems.shopify import calls
from sinks.systems.shopify.connection import Connection

Row = dict[str, Any]  # a vendor object

MOST_PAGES = 100  # of one list: beyond it the answer is flagged as cut off
# `Order.transactions` and `Order.refunds` are plain lists: `first` cuts them off, nothing says so, and no page follows.
# So one more is asked for than is enough for nearly every order, and all that can be had where that one comes.
FEW_TRANSACTIONS, MOST_TRANSACTIONS = 30, 190
FEW_REFUNDS, MOST_REFUNDS = 50, 250


def object_of(c: Connection, stem: str, variables: calls.Variables, root: str, cursors: Mapping[str, str]) -> ReadFlow[
    Row | None
]:  # fmt: skip
    """The object at `root` with its connections read side by side; None when there is none. `complete` is False when it
    vanished on the way or has more pages than are read. `cursors`: the variable that pages each connection."""
    found: Row | None = (yield from calls.read(c, stem, {**variables, **dict.fromkeys(cursors.values())}))[root]
    if found is None:
        return None
    last, after = found, dict[str, str | None]()
    for _ in range(MOST_PAGES):
        # The end of a connection stays its cursor: what follows it is nothing.
        ends = {cursors[name]: last[name]["pageInfo"]["endCursor"] for name in cursors}
        after |= {name: end for name, end in ends.items() if end is not None}
        if not any(last[name]["pageInfo"]["hasNextPage"] for name in cursors):
            return {**found, "complete": True}
        last = (yield from calls.read(c, stem, {**variables, **dict.fromkeys(cursors.values()), **after}))[root]
        if last is None:
            break
        found = {**found, **{name: {"nodes": found[name]["nodes"] + last[name]["nodes"]} for name in cursors}}
    return {**found, "complete": False}


def transactions(c: Connection, order_gid: str, first: list[Row]) -> ReadFlow[tuple[list[Row], bool]]:
    """Every transaction of an order, of which `first` came with it; and whether that is all."""
    if len(first) <= FEW_TRANSACTIONS:
        return first, True
    order = (yield from calls.read(c, "order_transactions", {"id": order_gid}))["order"]
    rows: list[Row] = order["transactions"] if order else first
    return rows, order is not None and len(rows) < MOST_TRANSACTIONS


def refunds(c: Connection, order_gid: str, first: list[Row]) -> ReadFlow[tuple[list[Row], bool]]:
    """The same for an order's refunds: `id` and `note` of each."""
    if len(first) <= FEW_REFUNDS:
        return first, True
    order = (yield from calls.read(c, "order_refunds", {"id": order_gid}))["order"]
    rows: list[Row] = order["refunds"] if order else first
    return rows, order is not None and len(rows) < MOST_REFUNDS
