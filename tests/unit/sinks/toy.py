"""A system for tests: its folder's worth of code, talking real HTTP to the scripted peer of `peer.py`."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
from pydantic import ConfigDict

from schemas import ids
from schemas.commands import Command, CommandKind, Refund, Restock, Suggestion, kind_of
from schemas.merchant import Merchant, Systems
from schemas.merchant_model import Model, Restocking
from sinks.contract import EFFECT, Attempt, Batching, Change, Flow, Limit, Moved, ReadFlow, Refused, Seen
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import retry_after


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    token: str


class Toy:
    """Satisfies sinks.contract.System. Applies a command by POST and finds it again by GET."""

    handles: frozenset[CommandKind] = frozenset({"restock", "refund", "annotate"})
    key_horizon_seconds: float | None = 3600.0  # of batches; a single command's key is not remembered at all

    def __init__(self, name: str, limit: Limit | None = None) -> None:
        self.name = name
        self.batching: Batching | None = ToyBatching()
        self.limit = limit or Limit(name="calls", capacity=10_000.0, per_second=10_000.0, in_flight=256)

    def connect(self, merchant: Merchant, secret: Callable[[str], str]) -> Connection:
        settings = getattr(merchant.systems, self.name.replace("-", "_"))
        return Connection(url=settings["url"], token=secret("env:TOKEN"))

    def authorize(self, connection: Connection, request: httpx.Request) -> httpx.Request:
        request.headers["authorization"] = f"Bearer {connection.token}"
        return request

    def limits(self, connection: Connection) -> Sequence[Limit]:
        return (self.limit,)

    def cost(self, request: httpx.Request) -> dict[str, float]:
        return {self.limit.name: 1.0}

    def seen(self, request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:
        left = response.headers.get("x-left")
        return {
            self.limit.name: Seen(
                available=None if left is None else float(left),
                retry_after_seconds=retry_after.seconds(response.headers) if response.status_code == 429 else None,
            )
        }

    def flow(self, command: Command, connection: Connection, merchant: Merchant, attempt: Attempt) -> Flow:
        place = f"{connection.url}/effects/{command.command_id}"
        if attempt.first_sent_ms is not None:
            found = yield httpx.Request("GET", place)
            if found.status_code == 200:
                return AlreadyApplied(external_ids={"peer": found.json()["id"]})
            if found.status_code != 404:
                return failed(found)
        body: dict[str, Any] = {"order": command.order_id, "kind": kind_of(command), "key": attempt.idempotency_key}
        if isinstance(command, Restock):
            if attempt.may_join and attempt.first_sent_ms is None:
                return change_of(command)
            body |= {"changes": {command.sku: command.quantity}}
        answer = yield httpx.Request("POST", place, json=body, extensions={EFFECT: True})
        if answer.status_code == 200:
            # A flow that chokes on an answer is a fault of ours: "poison" makes this one do so.
            return Applied(external_ids={"peer": answer.json()["id"]})
        return failed(answer)


class ToyBatching:
    """Satisfies sinks.contract.Batching: one POST that the peer knows again by its key."""

    most = 5

    def change(self, command: Command) -> Change | None:
        return change_of(command) if isinstance(command, Restock) else None

    def merge(self, batch_id: str, changes: Sequence[Change]) -> bytes:
        units: Counter[str] = Counter()
        for change in changes:
            units[change.target[0]] += change.quantity
        return json.dumps({"key": batch_id, "changes": dict(sorted(units.items()))}).encode()

    def reference(self, batch_id: str) -> str:
        return f"toy batch {batch_id}"

    def flow(self, connection: Connection, body: bytes) -> ReadFlow[Moved | Refused | Outcome]:
        answer = yield httpx.Request("POST", f"{connection.url}/batches", content=body, extensions={EFFECT: True})
        match answer.status_code:
            case 200:
                targets = frozenset((each,) for each in answer.json()["moved"])
                return Moved(external_ids={"peer": answer.json()["id"]}, targets=targets)
            case 422 | 409:
                return Refused(reason=f"answered {answer.status_code}")
            case _:
                return failed(answer)


def change_of(command: Restock) -> Change:
    return Change(target=(command.sku,), quantity=command.quantity)


def failed(answer: httpx.Response) -> Outcome:
    match answer.status_code:
        case 401:
            return Misconfigured(code="unauthorized", detail="the token was refused, ask ann@example.com")
        case 422:
            return Rejected(code="archived_order", detail=f"refused: {answer.text}")
        case 406:
            theirs = Suggestion(currency="EUR", amount_minor=int(answer.text), most_minor=1000)
            return Rejected(code="amount_mismatch", detail="another figure", suggested=theirs)
        case 429:
            return Deferred(reason="throttled", after_seconds=retry_after.seconds(answer.headers))
        case 423:
            return Deferred(reason="locked")
        case 409:
            return Uncertain(reason="the key is spent", new_key=True)
        case _:
            return Uncertain(reason=f"answered {answer.status_code}")


def look(connection: Connection) -> ReadFlow[list[str]]:
    """A read flow: the ids of everything that was applied."""
    answer = yield httpx.Request("GET", f"{connection.url}/effects")
    names: list[str] = answer.json()
    return names


class ToySystems(Systems):
    """The systems of a merchant, with one that only tests know."""

    model_config = ConfigDict(extra="allow")


def merchant(name: str, system: str, url: str, batch_seconds: float = 0.0) -> Merchant:
    systems: Any = {system.replace("-", "_"): {"url": url}}
    return Merchant.model_construct(
        merchant=name, time_zone="UTC", currency="EUR", systems=ToySystems.model_construct(**systems),
        model=Model(restocking=Restocking(batch_seconds=batch_seconds)),
    )  # fmt: skip


def restock(
    number: int, *, merchant: str = "shop", system: str = "toy", sku: str = "S", quantity: int = 1, order: str = "1000"
) -> Restock:
    """A stock command, kept in order by its SKU and order."""
    rma, units = f"RMA{number}", (f"u{number}",)
    return Restock(
        command_id=ids.command_id(
            merchant=merchant, system=system, kind="restock", rma_id=rma, unit_ids=units, generation=0
        ),
        merchant=merchant,
        system=system,
        order_id=order,
        rma_id=rma,
        unit_ids=units,
        generation=0,
        decided_at_ms=1_700_000_000_000,
        sku=sku,
        item_id=f"I-{sku}",
        location_id="2",
        quantity=quantity,
        stock_status="available",
    )


def refund(number: int, *, merchant: str = "shop", system: str = "toy") -> Refund:
    """A money command, kept in order by its order."""
    rma, units = f"RMA{number}", (f"u{number}",)
    return Refund(
        command_id=ids.command_id(
            merchant=merchant, system=system, kind="refund", rma_id=rma, unit_ids=units, generation=0
        ),
        merchant=merchant,
        system=system,
        order_id=str(1000 + number),
        rma_id=rma,
        unit_ids=units,
        generation=0,
        decided_at_ms=1_700_000_000_000,
        currency="EUR",
        amount_minor=100,
        lines=(),
        tenders=(),
        tolerance_minor=0,
    )


def key_of(command: Command) -> bytes:
    if isinstance(command, Restock):
        return ids.item_key(command.merchant, command.system, command.item_id)
    return ids.order_key(command.merchant, command.order_id)
