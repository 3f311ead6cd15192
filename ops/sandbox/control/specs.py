"""A shop as a scenario describes it: what the control door takes to seed one."""

from decimal import Decimal

import msgspec

from ops.sandbox.shopify.ordering import OrderSpec


class LocationSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place with stock."""

    name: str
    id: int | None = None
    active: bool = True
    fulfillment_service: bool = False


class ComponentSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a bundle, by SKU."""

    sku: str
    quantity: int = 1


class VariantSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variant with its stock by location id. With components it is a bundle's parent; its parts must be there
    already. `name`: what the control door and the books call it, where that is not the SKU: SKUs may be empty, or the
    same for two."""

    sku: str = ""
    name: str | None = None
    title: str = "Default"
    price: Decimal = Decimal("100.00")
    id: int | None = None
    inventory_item_id: int | None = None
    tracked: bool = True
    barcode: str | None = None
    stock: dict[int, int] = {}
    components: list[ComponentSpec] = []


class ProductSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product."""

    title: str
    variants: list[VariantSpec]
    id: int | None = None
    gift_card: bool = False


class CustomerSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer; names are of the form "Customer 1001"."""

    id: int
    name: str | None = None
    email: str | None = None


class ShopSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shop. `client_secret` signs its webhooks; stores with one `returngo_key` share its quota; `rates`: shop
    units per unit of a foreign currency; searches see a change after `search_lag_seconds`."""

    domain: str
    currency: str = "ZAR"
    access_token: str = "shpat_demo"  # noqa: S105
    client_id: str = "demo"
    client_secret: str = "shpss_demo"  # noqa: S105
    refresh_token: str = "shprt_demo"  # noqa: S105
    returngo_key: str = "rg-key-demo"
    daily_limit: int = 2000
    per_second_limit: int = 100
    bucket_size: int = 2000
    restore_rate: float = 100
    creates_native_return: bool = False
    read_all_orders: bool = True
    idempotency_errors: str = "user_errors"
    search_lag_seconds: float = 1.0
    rates: dict[str, Decimal] = {}
    gift_card_limit: int = 50_000
    rounding: str = "cumulative"  # a rule of shopify/rounding.py
    without_scopes: list[str] = []
    locations: list[LocationSpec] = []
    products: list[ProductSpec] = []
    customers: list[CustomerSpec] = []
    orders: list[OrderSpec] = []
