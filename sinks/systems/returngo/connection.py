"""How to reach one ReturnGO store: its settings, its credentials, its two quotas."""

import hashlib
from collections.abc import Callable, Sequence

import httpx
import msgspec
from pydantic import SecretStr

from schemas.merchant import Merchant
from sinks.contract import Limit, Seen
from sinks.systems import retry_after

PER_SECOND = 100.0
DAY_SECONDS = 86_400.0
IN_FLIGHT = 2  # ReturnGO asks for one request at a time; the second hides the time on the wire
KEY_HEADER = "x-api-key"
SHOP_HEADER = "x-shop-name"
# The gateway's words for a used-up budget, as against a burst ("Too Many Requests").
BUDGET_IS_GONE = b"limit exceeded"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One store. The API key belongs to the owner: all of its stores share the quota of a day."""

    merchant: str
    base_url: str
    shop: str
    api_key: SecretStr
    owner: str  # whose calls of a day they are
    daily_calls: int
    money_reserve: int


def connect(merchant: Merchant, secret: Callable[[str], str]) -> Connection:
    """The store of a merchant; ValueError when it has none."""
    store = merchant.systems.returngo
    if store is None:
        raise ValueError(f"merchant {merchant.merchant}: expected a section [systems.returngo], found none")
    key = secret(store.api_key)
    return Connection(
        merchant=merchant.merchant,
        base_url=store.base_url,
        shop=store.shop,
        api_key=SecretStr(key),
        owner=store.budget_owner or f"key-{fingerprint(key)}",
        daily_calls=store.daily_calls,
        money_reserve=store.money_reserve,
    )


def fingerprint(key: str) -> str:
    """Tells keys apart and says nothing of them."""
    return hashlib.blake2b(key.encode(), digest_size=5, person=b"budget owner").hexdigest()


def authorize(connection: Connection, request: httpx.Request) -> httpx.Request:
    """A copy of the request with the owner's key and the store's name."""
    headers = request.headers.copy()
    headers[KEY_HEADER] = connection.api_key.get_secret_value()
    headers[SHOP_HEADER] = connection.shop
    return httpx.Request(
        request.method, request.url, headers=headers, content=request.content, extensions=request.extensions
    )


def limits(connection: Connection) -> Sequence[Limit]:
    """A burst limit, and the calls of a day of which some are kept for commands; the owner's stores share both."""
    return (
        Limit(name="second", capacity=PER_SECOND, per_second=PER_SECOND, in_flight=IN_FLIGHT, owner=connection.owner),
        Limit(
            name="day",
            capacity=float(connection.daily_calls),
            per_second=0.0,
            period_seconds=DAY_SECONDS,
            reserve=float(connection.money_reserve),
            in_flight=IN_FLIGHT,
            owner=connection.owner,
        ),
    )


def cost(request: httpx.Request) -> dict[str, float]:  # noqa: ARG001  every call counts the same
    return {"second": 1.0, "day": 1.0}


def seen(request: httpx.Request, response: httpx.Response) -> dict[str, Seen]:  # noqa: ARG001  see contract
    """ReturnGO reports no balance; only a refusal says something."""
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return {}
    if budget_is_gone(response):
        return {"day": Seen(available=0.0)}
    wait = retry_after.seconds(response.headers)
    return {"second": Seen(available=0.0, retry_after_seconds=1.0 if wait is None else wait)}


def budget_is_gone(response: httpx.Response) -> bool:
    """Whether a 429 is about the day's calls."""
    return BUDGET_IS_GONE in response.content.lower()
