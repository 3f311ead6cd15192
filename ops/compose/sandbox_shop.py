"""`sandbox_shop.py FOLDER`: give the sandbox the shops of the merchants there. Touches the sandbox at port 8900."""

import sys
from pathlib import Path

import httpx

from ops.sandbox_shop import seed
from schemas import product
from schemas.merchant import load_all

PORT = 8900


def main(folder: Path) -> None:
    """Seed every shop that the sandbox does not have; run in the sandbox's own network, where it is 127.0.0.1."""
    for name, merchant in load_all(folder).items():
        shop = merchant.systems.shopify
        if shop is None or _has(shop.shop):
            continue
        seed(PORT, {name: merchant})
        print(f"sandbox: {shop.shop} created")


def _has(shop: str) -> bool:
    url = f"http://127.0.0.1:{PORT}/_sandbox/books"
    return httpx.get(url, params={"shop": shop}, headers=product.HEADERS, trust_env=False).is_success


if __name__ == "__main__":
    main(Path(sys.argv[1]))
