"""How to reach one Shopify shop: its settings, its credentials, its cost bucket."""

from collections.abc import Callable, Sequence

import httpx
import msgspec
from pydantic import SecretStr

from schemas.merchant import Merchant
from sinks.contract import OPERATION, Limit, Seen
from sinks.systems import retry_after
from sinks.systems.shopify import documents

# What the smallest plan grants; answers report the shop's own figures and correct the lease.
CAPACITY = 2000.0
PER_SECOND = 100.0
IN_FLIGHT = 32
# 430 comes in bursts, without Retry-After: a throttle of the shop's own.
THROTTLES = frozenset({429, 430})
TOKEN_HEADER = "X-Shopify-Access-Token"  # noqa: S105  a header's name


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One shop at one pinned API version. Secrets hide themselves when printed."""

    merchant: str
    base_url: str
    api_version: str
    access_token: SecretStr
    gift_card_secret: SecretStr

    @property
    def url(self) -> str:
        return f"{self.base_url}/admin/api/{self.api_version}/graphql.json"


def connect(merchant: Merchant, secret: Callable[[str], str]) -> Connection:
    """The shop of a merchant; ValueError when it has none."""
    shop = merchant.systems.shopify
    if shop is None:
        raise ValueError(f"merchant {merchant.merchant}: expected a section [systems.shopify], found none")
    documents.costs()  # read every document now: a flow touches no file
    return Connection(
        merchant=merchant.merchant,
        base_url=shop.base_url,
        api_version=shop.api_version,
        access_token=SecretStr(secret(shop.access_token)),
        gift_card_secret=SecretStr(secret(shop.gift_card_secret)),
    )


def authorize(connection: Connection, request: httpx.Request) -> httpx.Request:
    """A copy of the request with the shop's token."""
    headers = request.headers.copy()
    headers[TOKEN_HEADER] = connection.access_token.get_secret_value()
    return httpx.Request(
        request.method, request.url, headers=headers, content=request.content, extensions=request.extensions
    )


def limits(connection: Connection) -> Sequence[Limit]:  # noqa: ARG001  the contract passes it; plans are not in it
    return (Limit(name="points", capacity=CAPACITY, per_second=PER_SECOND, in_flight=IN_FLIGHT),)


def cost(request: httpx.Request) -> dict[str, float]:
    """Requested points of the document as its first line has them, by the published rule: more than Shopify asks."""
    return {"points": float(documents.costs()[request.extensions[OPERATION]])}


def seen(request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:  # noqa: ARG001  see contract
    """What the answer says about the bucket. Some plans say nothing, and refusals at the edge have no JSON."""
    if response.status_code in THROTTLES:
        wait = retry_after.seconds(response.headers)
        return {"points": Seen(available=0.0, retry_after_seconds=1.0 if wait is None else wait)}
    body = _body(response.content)
    bill = body.bill
    if bill is None:
        return {}
    state = bill.throttle_status
    return {
        "points": Seen(
            available=state.currently_available if state else None,
            per_second=state.restore_rate if state else None,
            capacity=state.maximum_available if state else None,
            requested=bill.requested_query_cost,
            spent=0.0 if body.throttled else bill.actual_query_cost,
            retry_after_seconds=bill.wait_seconds if body.throttled else None,
        )
    }


class ThrottleStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The bucket after the answer."""

    maximum_available: float
    currently_available: float
    restore_rate: float


class Bill(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """extensions.cost of an answer; a throttled request has no actual cost."""

    requested_query_cost: float | None = None
    actual_query_cost: float | None = None
    throttle_status: ThrottleStatus | None = None

    @property
    def wait_seconds(self) -> float:
        """Until the bucket holds what was requested; a guess of two seconds when the shop does not say."""
        state = self.throttle_status
        if state is None or self.requested_query_cost is None or state.restore_rate <= 0:
            return 2.0
        wait = (self.requested_query_cost - state.currently_available) / state.restore_rate
        return min(max(0.1, wait), retry_after.LONGEST_SECONDS)


class _Extensions(msgspec.Struct, frozen=True):
    cost: Bill | None = None


class _ErrorExtensions(msgspec.Struct, frozen=True):
    code: str | None = None


class _Error(msgspec.Struct, frozen=True):
    extensions: _ErrorExtensions = _ErrorExtensions()


class _Body(msgspec.Struct, frozen=True):
    extensions: _Extensions = _Extensions()
    errors: tuple[_Error, ...] = ()

    @property
    def bill(self) -> Bill | None:
        return self.extensions.cost

    @property
    def throttled(self) -> bool:
        return any(error.extensions.code == "THROTTLED" for error in self.errors)


def bill_of(content: bytes) -> Bill | None:
    """extensions.cost, or None when the answer has none that can be read."""
    return _body(content).bill


def _body(content: bytes) -> _Body:
    try:
        return msgspec.json.decode(content, type=_Body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Body()
