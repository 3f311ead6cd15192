"""The merchant, order and events that the benches of decisions judge."""

from schemas.facts import OrderLine, OrderSnapshot, Payment, RecordedRefund, ReturnedUnit, ReturnEvent, ReturnKind
from schemas.merchant import Merchant

NOW_MS = 1_772_000_000_000
HOUR_MS = 3_600_000
MERCHANT, ORDER = "bench", "5001"


def merchant(source: str = "either") -> Merchant:
    """A shop with ReturnGO and Shopify, one place and the usual rules; `source`: who inspects."""
    returngo = {
        "base_url": "http://127.0.0.1:1/returngo",
        "shop": "bench",
        "api_key": "env:A",
        "webhook_token": "env:B",
    }
    shopify = {
        "base_url": "http://127.0.0.1:1/shopify", "shop": "bench", "access_token": "env:C",
        "webhook_secrets": ["env:D"], "gift_card_secret": "env:E",
    }  # fmt: skip
    return Merchant.model_validate(
        {
            "merchant": MERCHANT, "time_zone": "Europe/Berlin", "currency": "EUR",
            "systems": {"returngo": returngo, "shopify": shopify, "warehouse": {"webhook_secrets": ["env:F"]}},
            "locations": [
                {"source": source, "code": "dock", "location_id": "11"} for source in ("returngo", "warehouse")
            ],
            "model": {"inspecting": {"source": source}},
        }
    )  # fmt: skip


def order(lines: tuple[OrderLine, ...], paid_minor: int, refunds: tuple[RecordedRefund, ...] = ()) -> OrderSnapshot:
    """An order of three days ago, paid by card."""
    paid = Payment(payment_id="P1", tender="card", status="success", amount_minor=paid_minor)
    return OrderSnapshot(
        fact_id="order", merchant=MERCHANT, order_id=ORDER, system="shopify", version_ms=NOW_MS, name="1001",
        created_at_ms=NOW_MS - 90 * HOUR_MS, currency="EUR", shop_currency="EUR", taxes_included=True, lines=lines,
        payments=(paid,), refunds=refunds, customer_id="C1",
    )  # fmt: skip


def event(kind: ReturnKind, hours: int, *units: ReturnedUnit) -> ReturnEvent:
    """A milestone of the return 100, so many hours later."""
    return ReturnEvent(
        fact_id=f"{kind}/{hours}", merchant=MERCHANT, order_id=ORDER, rma_id="100", system="returngo", kind=kind,
        occurred_at_ms=NOW_MS + hours * HOUR_MS, units=units,
    )  # fmt: skip
