"""What a merchant file needs to know of a Shopify shop, read from the shop. Touches HTTP."""

from typing import TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from schemas import product
from schemas.startup import CannotStart
from sinks.contract import ReadFlow
from sinks.systems.ended import Ended
from sinks.systems.shopify import connection, read
from sinks.systems.shopify.connection import Connection

T = TypeVar("T")
ASK_SECONDS = 10.0


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A location; `ours` False: a fulfilment service keeps its stock, which nobody else can change."""

    id: str
    name: str
    active: bool
    ours: bool = True


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """What there is; `gateways` and `currencies` are those that the last orders were paid by and in."""

    currency: str
    time_zone: str
    places: tuple[Place, ...]
    gateways: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


def read_shop(base_url: str, api_version: str, token: SecretStr) -> Shop:
    """Raises CannotStart when the shop does not answer, or refuses."""
    told = Connection(
        merchant="", base_url=base_url, api_version=api_version, access_token=token, gift_card_secret=SecretStr("")
    )
    beyond = (
        httpx.URL(base_url).scheme == "https"
    )  # through the proxy of the environment; this machine is not beyond it
    with httpx.Client(timeout=ASK_SECONDS, headers=product.HEADERS, trust_env=beyond) as client:
        shop = _asked(client, told, read.shop(told))
        places = _asked(client, told, read.locations(told))
        payments = _asked(client, told, read.payments(told))
    return Shop(
        currency=shop["currencyCode"],
        time_zone=shop["ianaTimezone"],
        places=tuple(
            Place(
                id=str(each["id"]).rpartition("/")[2], name=each["name"], active=each["isActive"],
                ours=not each["isFulfillmentService"],
            )
            for each in places
        ),
        gateways=tuple(dict.fromkeys(name for each in payments for name in each["paymentGatewayNames"])),
        currencies=tuple(dict.fromkeys(each["presentmentCurrencyCode"] for each in payments)),
    )  # fmt: skip


def _asked(client: httpx.Client, told: Connection, flow: ReadFlow[T]) -> T:
    try:
        request = next(flow)
        while True:
            request = flow.send(client.send(connection.authorize(told, request)))
    except StopIteration as done:
        found: T = done.value
        return found
    except httpx.TransportError as problem:
        raise CannotStart(f"{told.base_url}: expected the shop to answer, got: {problem}") from problem
    except Ended as ended:
        said = getattr(ended.outcome, "detail", None) or getattr(ended.outcome, "reason", ended.outcome)
        raise CannotStart(f"{told.base_url}: the shop refuses to be read: {said}") from ended
