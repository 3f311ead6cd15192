"""ReturnGO: comments, statuses and transaction outcomes on RMAs, by its REST API (README.md)."""

from collections.abc import Callable, Sequence

import httpx

from schemas.commands import Annotate, Command, CommandKind, kind_of
from schemas.merchant import Merchant
from sinks.contract import Attempt, Batching, Flow, Limit, Seen
from sinks.outcomes import Rejected
from sinks.systems.ended import Ended
from sinks.systems.returngo import annotate, connection
from sinks.systems.returngo.connection import Connection


class ReturnGo:
    """See sinks.contract.System."""

    name = "returngo"
    handles: frozenset[CommandKind] = frozenset({"annotate"})
    key_horizon_seconds: float | None = None
    batching: Batching | None = None

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
        if not isinstance(command, Annotate):
            detail = f"ReturnGO owns neither stock nor money: it cannot carry out a {kind_of(command)}"
            return Rejected(code="rejected_by_system", detail=detail)
        try:
            return (yield from annotate.annotate(command, c, attempt))
        except Ended as ended:
            return ended.outcome


SYSTEM = ReturnGo()
