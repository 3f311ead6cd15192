"""What one GraphQL request carries through its execution, and the resolver types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from graphql import GraphQLResolveInfo

from ops.sandbox.shopify.idempotency import Claim
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.world import World


@dataclass(slots=True, kw_only=True, frozen=True)
class Session:
    """One request: `claims` are its idempotency keys by response field, `busy` those that another request holds,
    `fault` one that the effect itself must show."""

    world: World
    shop: Shop
    claims: Mapping[str, Claim]
    busy: frozenset[str]
    fault: str | None


Info: TypeAlias = "GraphQLResolveInfo[Session]"
Resolver: TypeAlias = Callable[..., object]
Resolvers: TypeAlias = dict[str, Resolver]
