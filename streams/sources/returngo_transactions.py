"""A payment step of an RMA, as ReturnGO lists it. Pure."""

from typing import Literal

from schemas.facts import ReturnTransaction
from schemas.labels import kept
from schemas.money import Money
from streams.sources.fields import Json, exact_money, ident, label, malformed, opt, opt_ident, opt_instant

Kind = Literal["refund", "store_credit", "gift_card", "authorization", "capture", "invoice", "unknown"]
Status = Literal["requested", "success", "failed", "unknown"]

# `RefundToPaymentMethod` and `InvoicePayment` are published; the help page names the other kinds without a spelling.
_KINDS: dict[str, Kind] = {
    "refundtopaymentmethod": "refund",
    "refundtostorecredit": "store_credit",
    "storecredit": "store_credit",
    "refundbynewgiftcard": "gift_card",
    "giftcard": "gift_card",
    "paymentauthorization": "authorization",
    "paymentcapture": "capture",
    "invoicepayment": "invoice",
}
_STATUSES: dict[str, Status] = {
    "requested": "requested",
    "success": "success",
    "failed": "failed",
    "failure": "failed",
    "error": "failed",
}


# ReturnGO's words for what a reference is of; whatever else stands there was written by somebody.
_TYPES = frozenset({"refund", "refundid", "order", "orderid", "giftcard", "transaction", "platformrefundid"})


def transaction(row: Json, path: str, otherwise_ms: int) -> tuple[ReturnTransaction, int]:
    """The step and when it last changed (`otherwise_ms` when it does not say); raises Malformed."""
    step = ReturnTransaction(
        transaction_id=ident(row.get("id"), f"{path}.id"), kind=_KINDS.get(_word(row.get("type")), "unknown"),
        status=_STATUSES.get(_word(row.get("status")), "unknown"), amount=_amount(row, "amount", "currency", path),
        shop_amount=_amount(row, "shopAmount", "shopCurrency", path),
        external_id=opt_ident(row.get("externalReferenceId"), f"{path}.externalReferenceId"),
        external_type=kept(label(row.get("externalReferenceType"), f"{path}.externalReferenceType"), _TYPES),
        unit_ids=tuple(sorted(_units(row.get("returnItemIds"), path))),
    )  # fmt: skip
    changed = opt_instant(row.get("lastUpdated"), f"{path}.lastUpdated")
    return step, changed or opt_instant(row.get("createdAt"), f"{path}.createdAt") or otherwise_ms


def _word(value: object) -> str:
    return str(value).lower()


def _amount(row: Json, key: str, currency: str, path: str) -> Money | None:
    amount = opt(row.get("amount"), f"{path}.amount")
    if amount.get(key) is None:
        return None
    return exact_money(amount.get(key), amount.get(currency), f"{path}.amount.{key}")


def _units(value: object, path: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(f"{path}.returnItemIds", "a list of ids", value)
    return [ident(each, f"{path}.returnItemIds") for each in value]
