"""One call to ReturnGO's API that passed key, shop and quota."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import QueryParams

from ops.sandbox.returngo.store import Store
from ops.sandbox.world import World


@dataclass(slots=True, kw_only=True, frozen=True)
class Visit:
    """`number` is the id in the path, or 0; `body` the JSON body, or None when there is none or it is not JSON."""

    world: World
    store: Store
    number: int
    params: QueryParams
    body: object

    def field(self, name: str) -> str | None:
        """A text or number of the body, as text."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


Reply: TypeAlias = tuple[int, object]
Endpoint: TypeAlias = Callable[[Visit], Reply]


def message(status: int, text: str) -> Reply:
    """An error body as an API gateway writes it."""
    return status, {"message": text}
