"""What all endpoints of the control door share: reading a body, finding a shop, saying what is not there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request

from ops.sandbox.returngo.views import Json
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.world import World

T = TypeVar("T", bound=msgspec.Struct)
Handler = Callable[[World, Request, bytes], Awaitable[Json] | Json]


class Unknown(LookupError):
    """A shop, RMA, step or action that is not there: 404."""


def named_shop(world: World, request: Request) -> Shop:
    """The shop named in the path."""
    domain = request.path_params["shop"]
    if domain not in world.shops:
        raise Unknown(f"shop {domain} is not in the sandbox; it has {sorted(world.shops)}")
    return world.shops[domain]


def read(body: bytes, kind: type[T]) -> T:
    """A body as a struct; an empty one is {}."""
    return msgspec.json.decode(body or b"{}", type=kind)
