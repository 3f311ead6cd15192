"""The other shops of the demo's day: they round in their own ways, take money when goods leave, sell in currencies
whose rates move, and edit orders."""

from ops.demo.shop import CUSTOMERS, MAIN
from ops.demo.story import Body

BERLIN, OSLO, LYON = "berlin", "oslo", "lyon"


def _goods(price: str, **names: object) -> Body:
    return {"price": price, "stock": {str(MAIN): 20}, **names}


def _shop(currency: str, rounding: str, *products: Body, **more: object) -> Body:
    return {
        "currency": currency, "rounding": rounding, "search_lag_seconds": 2, "products": products,
        "customers": CUSTOMERS, **more,
    }  # fmt: skip


SHOPS: dict[str, Body] = {
    BERLIN: _shop(
        "EUR", "last_unit",
        {"title": "Glass", "variants": [_goods("42.85", sku="GLASS")]},
        {"title": "Plate", "variants": [_goods("33.33", sku="PLATE")]},
        rates={"USD": "0.9213"},
    ),
    OSLO: _shop(
        "NOK", "first_unit",
        {"title": "Lamp", "variants": [_goods("399.00", sku="LAMP")]},
        {"title": "Bulb", "variants": [_goods("49.90", sku="BULB")]},
    ),
    LYON: _shop(
        "EUR", "tax_apart",
        {"title": "Chair", "variants": [_goods("33.33", sku="CHAIR"), _goods("30.00", sku="CHAIR-RED")]},
        {"title": "Stool", "variants": [_goods("25.00", sku="STOOL")]},
    ),
}  # fmt: skip
# What their files say instead of the worked example.
DIFFERENT: dict[str, dict[str, str]] = {
    BERLIN: {'currency = "ZAR"': 'currency = "EUR"'},
    OSLO: {'currency = "ZAR"': 'currency = "NOK"', 'shipping = "never"': 'shipping = "full_return"'},
    LYON: {'currency = "ZAR"': 'currency = "EUR"'},
}
