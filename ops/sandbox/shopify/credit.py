"""Gift cards and store credit: giftCardCreate and storeCreditAccountCredit, neither of which has an idempotency key."""

import re
from datetime import date, datetime
from decimal import Decimal

import msgspec

from ops.sandbox.books import MoneyOut
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.refund_input import MoneyGiven
from ops.sandbox.shopify.sales import Customer, Transaction
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import ZERO, Money, Payload, Refusal, parse_gid, rounded, spoken
from ops.sandbox.shopify.wallet import Credit, CreditAccount, GiftCard

CODE = re.compile(r"[a-z0-9]{8,20}")
CREDIT_LIMIT = Decimal(100_000)


class GiftCardInput(msgspec.Struct, frozen=True, kw_only=True):
    """GiftCardCreateInput of 2026-04."""

    initial_value: Decimal
    code: str | None = None
    customer_id: str | None = None
    expires_on: date | None = None
    note: str | None = None


class CreditInput(msgspec.Struct, frozen=True, kw_only=True):
    """StoreCreditAccountCreditInput."""

    credit_amount: MoneyGiven
    expires_at: datetime | None = None


def gift_card_create(action: Action, args: dict[str, object]) -> Payload:
    """The mutation. The full code is in this answer and nowhere else."""
    given = msgspec.convert(args["input"], GiftCardInput)
    shop = action.shop
    customer = shop.find(Customer, given.customer_id) if given.customer_id else None
    code = re.sub(r"[\s-]", "", given.code).lower() if given.code else f"{action.number(GiftCard):020x}"[-16:]
    if refusals := _refused(shop, given, code, customer):
        return {"gift_card": None, "gift_card_code": None, "user_errors": refusals}
    value = Money(rounded(given.initial_value, shop.currency_code), shop.currency_code)
    card = shop.add(
        GiftCard(
            number=action.number(GiftCard),
            code=code,
            initial_value=value,
            balance=value,
            customer=customer,
            note=given.note,
            expires_on=given.expires_on,
            created_at=action.now(),
        )
    )
    shop.gift_card_codes.add(code)
    action.index(card)
    _record(action, "gift_card", card.number, value, given.note, None, customer)
    return {"gift_card": card, "gift_card_code": code, "user_errors": []}


def _refused(shop: Shop, given: GiftCardInput, code: str, customer: Customer | None) -> list[Refusal]:
    refusals: list[Refusal] = []
    if given.initial_value <= 0:
        refusals.append(Refusal(["input", "initialValue"], "must be greater than 0", "GREATER_THAN"))
    if given.initial_value > shop.issue_limit:
        limit = f"{spoken(Decimal(shop.issue_limit), shop.currency_code)} {shop.currency_code}"
        refusals.append(Refusal(["input", "initialValue"], f"can't exceed {limit}", "GIFT_CARD_LIMIT_EXCEEDED"))
    if given.customer_id and customer is None:
        text = "The customer could not be found."
        refusals.append(Refusal(["input", "customerId"], text, "CUSTOMER_NOT_FOUND"))
    if wrong := _wrong_code(shop, code):
        refusals.append(Refusal(["input", "code"], *wrong))
    return refusals


def _wrong_code(shop: Shop, code: str) -> tuple[str, str | None] | None:
    """Text and code of the refusal."""
    if len(code) < 8:
        return "Code is too short (minimum is 8 characters)", "TOO_SHORT"
    if len(code) > 20:
        return "Code is too long (maximum is 20 characters)", "TOO_LONG"
    if not CODE.fullmatch(code):
        return "Code can only contain letters and numbers", "INVALID"
    return ("Code has already been taken", None) if code in shop.gift_card_codes else None


def store_credit_account_credit(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: an account, or an owner whose account in that currency is made on demand."""
    given = msgspec.convert(args["credit_input"], CreditInput)
    money = Money(given.credit_amount.amount, given.credit_amount.currency_code)
    owner = _owner(action.shop, str(args["gid"]), money.currency_code)
    refusals = [owner] if isinstance(owner, Refusal) else _credit_refused(action, owner, money, given.expires_at)
    if isinstance(owner, Refusal) or refusals:
        return {"store_credit_account_transaction": None, "user_errors": refusals}
    credit = add_credit(action, owner, money, given.expires_at, origin=None, note=None)
    return {"store_credit_account_transaction": credit, "user_errors": []}


def _owner(shop: Shop, gid: str, currency: str) -> Customer | Refusal:
    parsed = parse_gid(gid)
    if parsed and parsed[0] == "StoreCreditAccount":
        account = shop.numbered(CreditAccount, parsed[1])
        if account is None:
            return Refusal(["id"], "Store credit account does not exist", "ACCOUNT_NOT_FOUND")
        if account.balance.currency_code != currency:
            text = "The currency provided does not match the currency of the store credit account"
            return Refusal(["creditInput", "creditAmount", "currencyCode"], text, "MISMATCHING_CURRENCY")
        return account.owner
    owner = shop.numbered(Customer, parsed[1]) if parsed and parsed[0] == "Customer" else None
    return owner or Refusal(["id"], "Owner does not exist", "OWNER_NOT_FOUND")


def _credit_refused(action: Action, owner: Customer, money: Money, expires_at: datetime | None) -> list[Refusal]:
    where, refusals = ["creditInput", "creditAmount", "amount"], list[Refusal]()
    if money.amount <= 0:
        text = "A positive amount must be used to credit a store credit account"
        refusals.append(Refusal(where, text, "NEGATIVE_OR_ZERO_AMOUNT"))
    if expires_at and expires_at <= action.now():
        text = "The expiry date must be in the future"
        refusals.append(Refusal(["creditInput", "expiresAt"], text, "EXPIRES_AT_IN_PAST"))
    account = owner.accounts.get(money.currency_code)
    if (account.balance.amount if account else ZERO) + money.amount > CREDIT_LIMIT:
        text = "The operation would cause the account's credit limit to be exceeded"
        refusals.append(Refusal(where, text, "CREDIT_LIMIT_EXCEEDED"))
    return refusals


def add_credit(
    action: Action,
    owner: Customer,
    money: Money,
    expires_at: datetime | None,
    *,
    origin: Transaction | None,
    note: str | None,
) -> Credit:
    """Credits an owner's account in the money's currency."""
    account = owner.accounts.get(money.currency_code)
    if account is None:
        account = CreditAccount(
            number=action.number(CreditAccount), owner=owner, balance=Money(ZERO, money.currency_code)
        )
        owner.accounts[money.currency_code] = action.shop.add(account)
    account.balance = Money(account.balance.amount + money.amount, money.currency_code)
    credit = Credit(
        number=action.number(Credit),
        account=account,
        amount=money,
        balance_after_transaction=account.balance,
        created_at=action.now(),
        expires_at=expires_at,
        event="ORDER_REFUND" if origin else "ADJUSTMENT",
        origin=origin,
    )
    account.credits.append(action.shop.add(credit))
    _record(action, "store_credit", credit.number, money, note, origin, owner)
    return credit


def _record(
    action: Action,
    kind: str,
    number: int,
    money: Money,
    note: str | None,
    origin: Transaction | None,
    owner: Customer | None,
) -> None:
    action.shop.books.money.append(
        MoneyOut(
            at=action.now(),
            kind=kind,
            id=number,
            amount=money.amount,
            currency=money.currency_code,
            status="SUCCESS",
            gateway=kind,
            actor=action.actor,
            key=action.key,
            note=note,
            order=origin.order.name if origin else None,
            parent_id=None,
            customer_id=owner.number if owner else None,
        )
    )
