"""Shopify: stock, money, credit, exchange orders and marks on orders, by its Admin GraphQL API (README.md)."""

from collections.abc import Callable, Sequence
from typing import assert_never

import httpx

from schemas.commands import Annotate, Command, CommandKind, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.merchant import Merchant
from sinks.contract import Attempt, Batching, Flow, Limit, Seen
from sinks.outcomes import Rejected
from sinks.systems.ended import Ended
from sinks.systems.shopify import annotate, connection, credit, exchange, refund, restock
from sinks.systems.shopify.adjust_many import BATCHING
from sinks.systems.shopify.connection import Connection


class Shopify:
    """See sinks.contract.System."""

    name = "shopify"
    handles: frozenset[CommandKind] = frozenset({"restock", "refund", "store_credit", "exchange", "annotate"})
    key_horizon_seconds: float | None = restock.KEY_HORIZON_SECONDS
    batching: Batching | None = BATCHING

    def connect(self, merchant: Merchant, secret: Callable[[str], str]) -> Connection:
        return connection.connect(merchant, secret)

    def authorize(self, connection_: Connection, request: httpx.Request) -> httpx.Request:
        return connection.authorize(connection_, request)

    def limits(self, connection_: Connection) -> Sequence[Limit]:
        return connection.limits(connection_)

    def cost(self, request: httpx.Request) -> dict[str, float]:
        return connection.cost(request)

    def seen(self, request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:
        return connection.seen(request, response)

    def flow(self, command: Command, c: Connection, merchant: Merchant, attempt: Attempt) -> Flow:  # noqa: ARG002
        try:
            return (yield from _conversation(command, c, attempt))
        except Ended as ended:
            return ended.outcome


def _conversation(command: Command, c: Connection, attempt: Attempt) -> Flow:
    match command:
        case Restock():
            return (yield from restock.restock(command, c, attempt))
        case Refund():
            return (yield from refund.refund(command, c, attempt))
        case StoreCredit():
            return (yield from credit.credit(command, c, attempt))
        case Exchange():
            return (yield from exchange.exchange(command, c))
        case Annotate():
            return (yield from annotate.annotate(command, c))
        case Journal():
            return Rejected(
                code="rejected_by_system", detail="Shopify executes refunds itself: it has no journal to book"
            )
        case _ as unreachable:
            assert_never(unreachable)


SYSTEM = Shopify()
