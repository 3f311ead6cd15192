"""Merchant files as text."""

from pathlib import Path

LEAST = """
merchant = "m-1"
time_zone = "Europe/Berlin"
currency = "EUR"
[systems]
"""
RETURNGO = """
[systems.returngo]
base_url = "{url}"
shop = "demo"
api_key = "env:KEY"
webhook_token = "env:TOKEN"
"""


def written(folder: Path, text: str, name: str = "m.toml") -> Path:
    """A merchant file of that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
