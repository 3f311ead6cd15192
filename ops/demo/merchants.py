"""Merchants beside the one of the worked example: their files, their secrets, their shops in the sandbox.

Touches the file system and the sandbox.
"""

from collections.abc import Mapping
from pathlib import Path

from ops.demo import shop
from ops.demo.client import Sandbox
from ops.demo.story import Body
from ops.sandbox_shop import SECRETS
from ops.up import Addresses

EXAMPLE_MERCHANT = "demo-shop"


def domain_of(merchant: str) -> str:
    """The shop of a merchant."""
    return f"{merchant}.myshopify.com"


def variable(merchant: str, name: str) -> str:
    """The variable that holds one of a merchant's secrets."""
    return f"{merchant.replace('-', '_').upper()}_{name}"


def secrets_of(merchant: str) -> dict[str, str]:
    """The variables that a merchant's file names, with values of its own."""
    own = {name.replace("DEMO_SHOP", variable(merchant, "")[:-1]): value for name, value in SECRETS.items()}
    if merchant == EXAMPLE_MERCHANT:
        return own
    return {name: value if value.startswith("whsec_") else f"{merchant}-{value}" for name, value in own.items()}


def open_merchant(
    folder: Path, sandbox: Sandbox, merchant: str, text: str, different: Mapping[str, str], opened: Body
) -> dict[str, str]:
    """Writes the merchant's file, which is the worked example's `text` but for what is `different`, and opens its shop;
    its secrets. ValueError when the example has no such passage."""
    text = text.replace(shop.DOMAIN, domain_of(merchant)).replace("DEMO_SHOP_", variable(merchant, ""))
    for usual, own in different.items():
        if text.count(usual) != 1:
            raise ValueError(f"expected {usual!r} once in the worked example, found it {text.count(usual)} times")
        text = text.replace(usual, own)
    (folder / f"{merchant}.toml").write_text(text, encoding="utf-8")
    secrets = secrets_of(merchant)
    sandbox.open_shop(
        {
            "domain": domain_of(merchant),
            "access_token": secrets[variable(merchant, "SHOPIFY_TOKEN")],
            "client_secret": secrets[variable(merchant, "SHOPIFY_WEBHOOK_SECRET")],
            "returngo_key": secrets[variable(merchant, "RETURNGO_KEY")],
            "bucket_size": 20_000,
            "restore_rate": 1_000,
            "locations": shop.LOCATIONS,
            **opened,
        }
    )
    return secrets


def at(addresses: Addresses, example: str) -> str:
    """The worked example at a run's addresses."""
    text = example.replace("127.0.0.1:8900", f"127.0.0.1:{addresses.sandbox_port}")
    return text.replace("127.0.0.1:8080", f"127.0.0.1:{addresses.gateway_port}")
