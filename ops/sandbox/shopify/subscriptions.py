"""webhookSubscriptionCreate and webhookSubscriptionDelete."""

from urllib.parse import urlsplit

import msgspec

from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.values import Payload, Refusal
from ops.sandbox.shopify.wallet import Subscription


class SubscriptionGiven(msgspec.Struct, frozen=True, kw_only=True):
    """WebhookSubscriptionInput; `callback_url` is the older name of `uri`."""

    uri: str | None = None
    callback_url: str | None = None
    format: str | None = None
    name: str | None = None
    filter: str | None = None
    include_fields: list[str] | None = None


def webhook_subscription_create(action: Action, args: dict[str, object]) -> Payload:
    """The mutation. One topic and address only once. Real Shopify wants https; plain http is let through for local
    runs."""
    given = msgspec.convert(args["webhook_subscription"], SubscriptionGiven)
    topic, uri = str(args["topic"]), given.uri or given.callback_url or ""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _refuse("Address is invalid")
    if any(each.topic == topic and each.uri == uri for each in action.shop.all(Subscription)):
        return _refuse("Address for this topic has already been taken")
    subscription = Subscription(
        number=action.number(Subscription),
        topic=topic,
        uri=uri,
        format=given.format or "JSON",
        name=given.name,
        filter=given.filter,
        include_fields=given.include_fields or [],
        created_at=action.now(),
        updated_at=action.now(),
    )
    return {"webhook_subscription": action.shop.add(subscription), "user_errors": []}


def _refuse(text: str) -> Payload:
    return {"webhook_subscription": None, "user_errors": [Refusal(["webhookSubscription", "callbackUrl"], text)]}


def webhook_subscription_delete(action: Action, args: dict[str, object]) -> Payload:
    """The mutation."""
    subscription = action.shop.find(Subscription, str(args["gid"]))
    if subscription is None:
        return {
            "deleted_webhook_subscription_id": None,
            "user_errors": [Refusal(["id"], "Webhook subscription does not exist")],
        }
    del action.shop.entities[Subscription.typename][subscription.number]
    return {"deleted_webhook_subscription_id": subscription.id, "user_errors": []}
