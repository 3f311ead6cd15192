"""A merchant, its connections and one command of each kind, all invented."""

from typing import Any

import msgspec

from schemas.commands import Annotate, Exchange, LineShare, Refund, Restock, StoreCredit, TenderShare
from schemas.merchant import Merchant
from sinks.contract import Attempt
from sinks.systems import returngo, shopify

TOKEN = "token-that-nobody-may-see"
API_KEY = "key-that-nobody-may-see"
CARD_SECRET = "card-secret-that-nobody-may-see"
SECRETS = {"env:TOKEN": TOKEN, "env:KEY": API_KEY, "env:CARDS": CARD_SECRET, "env:HOOK": "hook"}

COMMAND_ID = "0d6f3c1e-7a52-5b0e-8c11-4f2a9d3b7e60"
KEY = "b7e1d2a4-3c5f-5e68-9a0b-1c2d3e4f5a6b"
NOW_MS = 1_780_000_000_000
FIRST = Attempt(idempotency_key=KEY, now_ms=NOW_MS)


def again(seconds: float = 60.0) -> Attempt:
    """A second attempt, so long after the first one sent its write."""
    return msgspec.structs.replace(FIRST, number=2, first_sent_ms=NOW_MS - int(seconds * 1000))


def merchant(api_version: str = "2026-04") -> Merchant:
    return Merchant.model_validate(
        {
            "merchant": "acorn",
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "systems": {
                "shopify": {
                    "base_url": "https://acorn.example",
                    "shop": "acorn.example",
                    "api_version": api_version,
                    "access_token": "env:TOKEN",
                    "webhook_secrets": ["env:HOOK"],
                    "gift_card_secret": "env:CARDS",
                },
                "returngo": {
                    "base_url": "https://returns.example",
                    "shop": "acorn.example",
                    "api_key": "env:KEY",
                    "webhook_token": "env:HOOK",
                },
            },
        }
    )


MERCHANT = merchant()
SHOP = shopify.SYSTEM.connect(MERCHANT, SECRETS.__getitem__)
STORE = returngo.SYSTEM.connect(MERCHANT, SECRETS.__getitem__)

_COMMON: dict[str, Any] = {
    "command_id": COMMAND_ID,
    "merchant": "acorn",
    "system": "shopify",
    "order_id": "5001",
    "rma_id": "20000017",
    "unit_ids": ("41",),
    "generation": 1,
    "decided_at_ms": NOW_MS,
}
RESTOCK = Restock(
    **_COMMON, sku="TEE-M", item_id="301", location_id="71", quantity=1, stock_status="available", line_id="9001"
)
DAMAGED = msgspec.structs.replace(RESTOCK, stock_status="damaged")
REFUND = Refund(
    **_COMMON,
    currency="EUR",
    amount_minor=2500,
    lines=(LineShare(line_id="9001", quantity=1, amount_minor=2500),),
    tenders=(TenderShare(payment_id="801", tender="card", amount_minor=2500),),
    tolerance_minor=0,
)
STORE_CREDIT = StoreCredit(
    **_COMMON,
    form="store_credit",
    customer_id="601",
    currency="EUR",
    amount_minor=2500,
    lines=(LineShare(line_id="9001", quantity=1, amount_minor=2500),),
)
GIFT_CARD = msgspec.structs.replace(STORE_CREDIT, form="gift_card")
EXCHANGE = Exchange(**_COMMON, draft_order_id="701", exchange_order_id=None, currency="EUR")
TAGS = Annotate(**_COMMON, aspect="tags", tags_add=("return-received",), tags_remove=("return-in-transit",))
NOTE = Annotate(**_COMMON, aspect="note", text="Too small")
COMMENT = msgspec.structs.replace(TAGS, system="returngo", aspect="comment", text="1 x TEE-M is back in stock")
# decided an hour ago, so that the RMA is looked at before its status is set
STATUS = msgspec.structs.replace(
    TAGS, system="returngo", aspect="status", status="Done", decided_at_ms=NOW_MS - 3_600_000
)
