"""The sandbox's copy of the worked example in merchants/demo-shop.toml. Touches the sandbox's control door."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from schemas import product
from schemas.merchant import Merchant

# The sandbox takes what it is told, so these protect nothing. A real shop's secrets never stand in a file.
SECRETS = {
    "DEMO_SHOP_RETURNGO_KEY": "sandbox-returngo-key",
    "DEMO_SHOP_RETURNGO_WEBHOOK_TOKEN": "sandbox-returngo-webhook-token",
    "DEMO_SHOP_SHOPIFY_TOKEN": "sandbox-shopify-token",
    "DEMO_SHOP_SHOPIFY_WEBHOOK_SECRET": "sandbox-shopify-webhook-secret",
    "DEMO_SHOP_GIFT_CARD_SECRET": "sandbox-gift-card-secret",
    "DEMO_SHOP_WAREHOUSE_WEBHOOK_SECRET": "whsec_c2FuZGJveC13YXJlaG91c2Utc2VjcmV0",
}
LOCATIONS = (
    {"id": 101, "name": "Main", "active": True},
    {"id": 102, "name": "Store", "active": True},
    {"id": 103, "name": "Grading", "active": True},
    {"id": 104, "name": "Closed", "active": False},
)


def _variant(sku: str, title: str, price: str) -> dict[str, object]:
    return {"sku": sku, "title": title, "price": price, "stock": {"101": 20, "103": 0}}


PRODUCTS = (
    {"title": "Tee", "variants": [_variant("TEE-S", "S", "199.00"), _variant("TEE-M", "M", "199.00")]},
    {"title": "Mug", "variants": [_variant("MUG", "One size", "89.00")]},
)
_LINES = ({"sku": "TEE-M", "quantity": 2}, {"sku": "MUG", "quantity": 1})
ORDERS = tuple(
    {"name": f"#{1001 + number}", "customer_id": 1001, "lines": _LINES, "shipping": "50.00"} for number in range(5)
)


def seed(port: int, merchants: Mapping[str, Merchant]) -> None:
    """Create a shop in the sandbox for every merchant whose Shopify address is the sandbox's."""
    address = f"http://127.0.0.1:{port}"
    for merchant in merchants.values():
        shop = merchant.systems.shopify
        if shop is not None and urlsplit(shop.base_url).netloc == f"127.0.0.1:{port}":
            body = _shop(shop.shop, merchant.currency)
            httpx.post(f"{address}/_sandbox/shops", json=body, headers=product.HEADERS).raise_for_status()


def _shop(domain: str, currency: str) -> dict[str, object]:
    return {
        "domain": domain,
        "currency": currency,
        "access_token": SECRETS["DEMO_SHOP_SHOPIFY_TOKEN"],
        "client_secret": SECRETS["DEMO_SHOP_SHOPIFY_WEBHOOK_SECRET"],
        "returngo_key": SECRETS["DEMO_SHOP_RETURNGO_KEY"],
        "locations": LOCATIONS,
        "products": PRODUCTS,
        "customers": [{"id": 1001, "name": "Customer 1001", "email": "customer.1001@example.com"}],
        "orders": ORDERS,
    }
