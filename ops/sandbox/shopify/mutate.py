"""Mutations as resolvers: the idempotency rules around them, and the webhooks after them."""

from collections.abc import Callable
from typing import TypeAlias

from graphql import GraphQLError

from ops.sandbox.shopify import (
    credit,
    dispositions,
    drafts,
    inventory,
    marks,
    refunds,
    return_process,
    returns,
    subscriptions,
)
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.idempotency import Claim, Trouble
from ops.sandbox.shopify.session import Info, Resolver, Resolvers, Session
from ops.sandbox.shopify.values import Payload, Refusal

Mutation: TypeAlias = Callable[[Action, dict[str, object]], Payload]


def _plain(mutation: Mutation) -> Resolver:
    def resolve(_root: object, info: Info, **args: object) -> Payload:
        return _run(info.context, mutation, args, None)

    return resolve


def _keyed(mutation: Mutation, empty: tuple[str, ...], with_codes: frozenset[str]) -> Resolver:
    """`empty`: payload fields that are null on an error; `with_codes`: error types whose user errors have a code."""

    def resolve(_root: object, info: Info, **args: object) -> Payload:
        session = info.context
        claim = session.claims.get(str(info.path.key))
        if claim is None:
            text = "The @idempotent directive is required for this mutation but was not provided."
            raise GraphQLError(text, extensions={"code": "BAD_REQUEST"})
        match session.shop.keys.look(claim, session.busy):
            case Trouble() as trouble:
                session.shop.books.count(f"key_{trouble.name.lower()}")
                return _trouble(session, trouble, empty, info.field_name in with_codes)
            case dict() as answer:
                session.shop.books.count("key_replayed")
                return answer
        return _first_time(session, mutation, args, claim)

    return resolve


def _first_time(session: Session, mutation: Mutation, args: dict[str, object], claim: Claim) -> Payload:
    try:
        answer = _run(session, mutation, args, claim.key)
    except GraphQLError as error:
        if (error.extensions or {}).get("code") == "INTERNAL_SERVER_ERROR":
            session.shop.keys.settle(claim, {}, "failed")
        raise
    session.shop.keys.settle(claim, answer, "failed" if answer["user_errors"] else "done")
    return answer


def _run(session: Session, mutation: Mutation, args: dict[str, object], key: str | None) -> Payload:
    if session.fault == "internal_error":
        text = "Internal error. Looks like something went wrong on our end."
        raise GraphQLError(text, extensions={"code": "INTERNAL_SERVER_ERROR", "requestId": "sandbox"})
    if session.fault == "access_denied":
        raise GraphQLError("Access denied for this field.", extensions={"code": "ACCESS_DENIED"})
    action = Action(session.world, session.shop, "api", key, session.fault)
    answer = mutation(action, args)
    action.publish()
    return answer


def _trouble(session: Session, trouble: Trouble, empty: tuple[str, ...], coded: bool) -> Payload:
    if not coded and session.shop.idempotency_errors == "top_level":
        raise GraphQLError(trouble.value, extensions={"code": trouble.code})
    refusal = Refusal(None, trouble.value, trouble.code if coded else None)
    return dict.fromkeys(empty) | {"user_errors": [refusal]}


WITH_CODES = frozenset({"inventoryAdjustQuantities"})
ROOT: Resolvers = {
    "draftOrderComplete": _plain(drafts.draft_order_complete),
    "giftCardCreate": _plain(credit.gift_card_create),
    "inventoryActivate": _keyed(inventory.inventory_activate, ("inventory_level",), WITH_CODES),
    "inventoryAdjustQuantities": _keyed(
        inventory.inventory_adjust_quantities, ("inventory_adjustment_group",), WITH_CODES
    ),
    "metafieldsSet": _plain(marks.metafields_set),
    "orderUpdate": _plain(marks.order_update),
    "refundCreate": _keyed(refunds.refund_create, ("refund", "order"), WITH_CODES),
    "returnClose": _plain(returns.return_close),
    "returnCreate": _plain(returns.return_create),
    "returnProcess": _plain(return_process.return_process),
    "reverseFulfillmentOrderDispose": _plain(dispositions.reverse_fulfillment_order_dispose),
    "storeCreditAccountCredit": _plain(credit.store_credit_account_credit),
    "tagsAdd": _plain(marks.tags_add),
    "tagsRemove": _plain(marks.tags_remove),
    "webhookSubscriptionCreate": _plain(subscriptions.webhook_subscription_create),
    "webhookSubscriptionDelete": _plain(subscriptions.webhook_subscription_delete),
}
NEED_KEY = frozenset({"inventoryActivate", "inventoryAdjustQuantities", "refundCreate"})
