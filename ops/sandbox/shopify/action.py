"""One action in a shop: who does it, under which key, and the webhooks that follow when it is done."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import datetime

from ops.sandbox.books import Mark
from ops.sandbox.clock import iso
from ops.sandbox.outgoing import Delivery
from ops.sandbox.shopify import payloads
from ops.sandbox.shopify.catalogue import Entity
from ops.sandbox.shopify.sales import Order
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Payload
from ops.sandbox.shopify.wallet import Subscription
from ops.sandbox.world import World

# Eight retries over four hours, each wait about twice the one before.
RETRIES_SECONDS = (60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0, 6780.0)
FIRST_NUMBERS = {
    "Order": 7_300_000_000_001,
    "LineItem": 17_400_000_000_001,
    "OrderTransaction": 10_500_000_000_001,
    "Refund": 1_020_000_000_001,
    "InventoryItem": 53_400_000_000_001,
    "ProductVariant": 51_400_000_000_001,
    "Product": 10_100_000_000_001,
    "Location": 67_800_000_001,
}


class Action:
    """Collects the events of one action; `publish` sends them, each with the state at the end of the action. `fault`
    is one the effect itself must show."""

    def __init__(self, world: World, shop: Shop, actor: str, key: str | None = None, fault: str | None = None) -> None:
        self.world = world
        self.shop = shop
        self.actor = actor
        self.key = key
        self.fault = fault
        self._events: dict[tuple[str, str], Callable[[], Payload]] = {}

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.world.clock.now()

    def number(self, kind: type[Entity]) -> int:
        """A new number for an entity."""
        return self.world.number(kind.typename, FIRST_NUMBERS.get(kind.typename, 1_000_000_001))

    def emit(self, topic: str, about: Entity, payload: Callable[[], Payload]) -> None:
        """Says that something happened; the same thing twice in one action is one event."""
        self._events.setdefault((topic, about.id), payload)

    def index(self, thing: Entity) -> None:
        """From now on searches will come to see the thing like this. What a shop opens with is there for long."""
        now, lag = self.now(), self.shop.index.lag
        self.shop.index.note(thing, now - lag if self.actor == "seed" else now)

    def mark(self, kind: str, owner: str, value: str) -> None:
        """Writes a mark into the books."""
        self.shop.books.marks.append(Mark(at=self.now(), kind=kind, owner=owner, value=value, actor=self.actor))

    def publish(self) -> None:
        """Sends the collected events to the subscriptions of their topics."""
        subscriptions = self.shop.all(Subscription)
        event_id = str(uuid.uuid4())
        for (topic, _), payload in self._events.items():
            for subscription in subscriptions:
                if subscription.topic == topic:
                    self._send(subscription, payload(), event_id)
        self._events.clear()

    def _send(self, subscription: Subscription, payload: Payload, event_id: str) -> None:
        body = json.dumps(payload).encode()
        webhook_id = str(uuid.uuid4())
        self.world.outgoing.send(
            Delivery(
                id=webhook_id,
                system="shopify",
                shop=self.shop.domain,
                topic=subscription.topic,
                url=subscription.uri,
                headers=self._headers(subscription, body, webhook_id, event_id),
                body=body,
                retries_seconds=RETRIES_SECONDS,
                given_up=lambda: self._unsubscribe(subscription),
            )
        )

    def _headers(self, subscription: Subscription, body: bytes, webhook_id: str, event_id: str) -> dict[str, str]:
        signature = base64.b64encode(hmac.new(self.shop.client_secret.encode(), body, hashlib.sha256).digest()).decode()
        group, _, verb = subscription.topic.rpartition("_")
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": f"{group.lower()}/{verb.lower()}",
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": self.shop.served_version,
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": iso(self.now()),
        }
        return headers | ({"X-Shopify-Name": subscription.name} if subscription.name else {})

    def _unsubscribe(self, subscription: Subscription) -> None:
        self.shop.entities["WebhookSubscription"].pop(subscription.number, None)
        self.mark("subscription_removed", subscription.topic, subscription.uri)


def touch(action: Action, order: Order) -> None:
    """An order changed: its updatedAt moves and orders/updated follows."""
    order.updated_at = action.now()
    action.index(order)
    action.emit("ORDERS_UPDATED", order, lambda: payloads.order(order))
