"""The parts of one RMA that each of its events needs. Pure."""

from collections.abc import Iterable

import msgspec

from schemas import ids
from schemas.facts import ReturnedUnit, ReturnEvent, ReturnKind

SYSTEM = "returngo"


class Rma(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one RMA that every event needs."""

    merchant: str
    rma_id: str
    order_id: str
    order_name: str | None
    status: str
    created_at_ms: int
    updated_at_ms: int
    read_at_ms: int
    out_of_policy: bool | None
    shop_return_name: str | None
    units: tuple[ReturnedUnit, ...]

    def event(self, kind: ReturnKind, at_ms: int, units: Iterable[ReturnedUnit], *identity: str) -> ReturnEvent:
        """A milestone; `identity` is what tells it from another of its kind."""
        return ReturnEvent(
            fact_id=ids.fact_id(SYSTEM, f"{self.merchant}/{self.rma_id}", kind, *identity), merchant=self.merchant,
            order_id=self.order_id, rma_id=self.rma_id, system=SYSTEM, kind=kind, occurred_at_ms=at_ms,
            order_name=self.order_name, units=tuple(units), out_of_policy=self.out_of_policy,
            shop_return_name=self.shop_return_name,
        )  # fmt: skip


def names_of(units: Iterable[ReturnedUnit]) -> list[str]:
    """Their ids, in order."""
    return sorted(each.unit_id for each in units)
