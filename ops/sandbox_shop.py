"""A shop in the sandbox for a merchant: the worked example's (merchants/demo-shop.toml), or one with the places of its
file. Touches the sandbox's control door."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from schemas import product
from schemas.merchant import Merchant
from schemas.money import exponent

# The sandbox takes what it is told, so these protect nothing. A real shop's secrets never stand in a file.
SECRETS = {
    "DEMO_SHOP_RETURNGO_KEY": "sandbox-returngo-key",
    "DEMO_SHOP_RETURNGO_WEBHOOK_TOKEN": "sandbox-returngo-webhook-token",
    "DEMO_SHOP_SHOPIFY_TOKEN": "sandbox-shopify-token",
    "DEMO_SHOP_SHOPIFY_WEBHOOK_SECRET": "sandbox-shopify-webhook-secret",
    "DEMO_SHOP_GIFT_CARD_SECRET": "sandbox-gift-card-secret",
    "DEMO_SHOP_WAREHOUSE_WEBHOOK_SECRET": "whsec_c2FuZGJveC13YXJlaG91c2Utc2VjcmV0",
}
DEMO = "demo-shop"
LOCATIONS = (
    {"id": 101, "name": "Main", "active": True},
    {"id": 102, "name": "Store", "active": True},
    {"id": 103, "name": "Grading", "active": True},
    {"id": 104, "name": "Closed", "active": False},
)
STOCK = 20
GOODS = (("Tee", "TEE-S", "S", "199.00"), ("Tee", "TEE-M", "M", "199.00"), ("Mug", "MUG", "One size", "89.00"))


def seed(port: int, merchants: Mapping[str, Merchant]) -> None:
    """Create a shop in the sandbox for every merchant whose Shopify address is the sandbox's, with the example's
    secrets."""
    for merchant in merchants.values():
        shop = merchant.systems.shopify
        if shop is not None and urlsplit(shop.base_url).netloc == f"127.0.0.1:{port}":
            _post(port, _shop(merchant, SECRETS["DEMO_SHOP_SHOPIFY_TOKEN"], SECRETS["DEMO_SHOP_SHOPIFY_WEBHOOK_SECRET"],
                              SECRETS["DEMO_SHOP_RETURNGO_KEY"]))  # fmt: skip


def open_shop(port: int, merchant: Merchant, secret: Callable[[str], str]) -> None:
    """Create the shop of a merchant, which has one; `secret` reads a reference."""
    shop, store = merchant.systems.shopify, merchant.systems.returngo
    if shop is None:
        raise ValueError(f"merchant {merchant.merchant}: expected a section [systems.shopify], found none")
    key = store.api_key if store else shop.access_token
    _post(port, _shop(merchant, secret(shop.access_token), secret(shop.webhook_secrets[0]), secret(key)))


def _post(port: int, body: dict[str, object]) -> None:
    url = f"http://127.0.0.1:{port}/_sandbox/shops"
    httpx.post(url, json=body, headers=product.HEADERS, trust_env=False).raise_for_status()


def _shop(merchant: Merchant, access_token: str, client_secret: str, returngo_key: str) -> dict[str, object]:
    shop, store = merchant.systems.shopify, merchant.systems.returngo
    places = _locations(merchant)
    return {
        "domain": shop.shop if shop else "",
        "currency": merchant.currency,
        "access_token": access_token,
        "client_secret": client_secret,
        "returngo_key": returngo_key,
        **({"daily_limit": store.daily_calls} if store else {}),
        "locations": places,
        "products": _products(merchant.currency, places),
        "customers": [{"id": 1001, "name": "Customer 1001", "email": "customer.1001@example.com"}],
        "orders": [_order(number) for number in range(1001, 1006)],
    }


def _locations(merchant: Merchant) -> list[dict[str, object]]:
    """Those of the example, or those that the file maps for Shopify, by their ids."""
    if merchant.merchant == DEMO:
        return [*LOCATIONS]
    mapped = {each.location_id: each.active for each in merchant.locations if each.system in (None, "shopify")}
    found: list[dict[str, object]] = [
        {"id": int(number), "name": f"Location {number}", "active": active}
        for number, active in mapped.items()
        if number.isdecimal()
    ]
    return found if any(each["active"] for each in found) else [*LOCATIONS]


def _products(currency: str, places: list[dict[str, object]]) -> list[dict[str, object]]:
    active = [str(each["id"]) for each in places if each["active"]]
    stock = {place: STOCK if place == active[0] else 0 for place in active}
    titles = dict.fromkeys(title for title, *_ in GOODS)
    return [
        {
            "title": title,
            "variants": [
                {"sku": sku, "title": variant, "price": _price(price, currency), "stock": stock}
                for of, sku, variant, price in GOODS
                if of == title
            ],
        }
        for title in titles
    ]


def _price(text: str, currency: str) -> str:
    """What the currency's smallest unit allows."""
    return text if exponent(currency) >= len(text.partition(".")[2]) else text.partition(".")[0]


def _order(number: int) -> dict[str, object]:
    lines = [{"sku": "TEE-M", "quantity": 2}, {"sku": "MUG", "quantity": 1}]
    return {"name": f"#{number}", "customer_id": 1001, "lines": lines, "shipping": "50"}
