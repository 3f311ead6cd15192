"""A merchant with every door, built without a file."""

from schemas.merchant import Carrier, Merchant, ReturnGo, Shopify, Systems, Warehouse


def shop(
    name: str = "shop-a", *, daily_calls: int = 2000, money_reserve: int = 300, coalesce_seconds: float = 5.0
) -> Merchant:
    """Nothing answers at its systems' addresses."""
    returngo = ReturnGo(
        base_url="http://127.0.0.1:9/returngo", shop="demo", api_key="env:KEY", webhook_token="env:TOKEN",
        webhook_url="https://gateway", daily_calls=daily_calls, money_reserve=money_reserve,
        coalesce_seconds=coalesce_seconds,
    )  # fmt: skip
    shopify = Shopify(
        base_url="http://127.0.0.1:9/shopify", shop="demo", access_token="env:ACCESS", webhook_secrets=("env:SECRET",),
        gift_card_secret="env:CARDS", webhook_url="https://gateway",
    )  # fmt: skip
    systems = Systems(
        returngo=returngo, shopify=shopify, warehouse=Warehouse(webhook_secrets=("env:SECRET",)),
        carrier=Carrier(webhook_secrets=("env:SECRET",)),
    )  # fmt: skip
    tags = ("a", "b", "one", "two", "three", "new", "old")
    return Merchant(merchant=name, time_zone="UTC", currency="EUR", systems=systems, labels=tags)
