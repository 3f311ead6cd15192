"""Merchants of other operating models than the Shopify one of `factories.rules`."""

from typing import Any

from schemas.merchant import Merchant
from tests.unit.domain.factories import rules

DOCK = {"source": "returngo", "code": "dock", "location_id": "11", "disposition": "sellable"}
PEN = {"source": "returngo", "code": "dock", "location_id": "12", "disposition": "damaged", "zone": "quarantine"}
PLACES = (DOCK, PEN)


def merchant(system: str = "shopify", *, locations: Any = PLACES, model: Any = None, **more: Any) -> Merchant:
    """A merchant whose lines are all governed by the model of `system`, unless `models` says otherwise."""
    base = rules().model_dump(exclude={"model", "models", "locations"})
    return Merchant.model_validate(
        base | {"model": {"system": system} | (model or {}), "locations": list(locations)} | more
    )
