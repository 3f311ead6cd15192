"""Webhook subscriptions: made at the start, looked after from then on. Touches HTTP, SQL, Kafka.

Shopify deletes a subscription after eight failed deliveries, and says nothing. One that is gone is made again; that it
was gone is raised, because what was sent meanwhile only the polls can find.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog

from schemas import ids
from schemas.merchant import Merchant
from sinks.systems.returngo import read as returngo
from sinks.systems.returngo.connection import Connection as ReturnGoConnection
from sinks.systems.shopify import read as shopify
from sinks.systems.shopify.connection import Connection as ShopifyConnection
from sinks.transport import Transport
from streams.sources import telemetry
from streams.sources.envelope import RETURNGO_EVENTS
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.reading import ask
from streams.sources.troubles import Troubles
from streams.sources.unexpected import faults_shown
from streams.sources.work import Misconfigured, Unread

log = structlog.get_logger(__name__)
SHOPIFY_TOPICS = (
    "ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_EDITED", "ORDERS_CANCELLED", "REFUNDS_CREATE",
    "ORDER_TRANSACTIONS_CREATE", "RETURNS_APPROVE", "RETURNS_CANCEL", "RETURNS_CLOSE", "RETURNS_REOPEN",
    "RETURNS_UPDATE", "RETURNS_PROCESS", "REVERSE_FULFILLMENT_ORDERS_DISPOSE", "INVENTORY_ITEMS_UPDATE",
    "LOCATIONS_ACTIVATE", "LOCATIONS_DEACTIVATE",
)  # fmt: skip


class Subscriptions(Protocol):
    """What differs between systems."""

    system: str
    merchant: str
    wanted: frozenset[str]
    address: str

    def present(self) -> Awaitable[set[str]]:
        """Events that are delivered to our address; raises Unread."""

    def make(self, event: str) -> Awaitable[object]:
        """Subscribe; raises Unread."""


class ShopifySubscriptions:
    """One per topic, all to one address."""

    system = "shopify"
    wanted = frozenset(SHOPIFY_TOPICS)

    def __init__(self, merchant: str, gateway: str, transport: Transport) -> None:
        self.merchant = merchant
        self.address = f"{gateway}/shopify/{merchant}"
        self._transport = transport

    async def present(self) -> set[str]:
        rows = await ask(self._transport, self.merchant, shopify.subscriptions(self._connection()), "page")
        return {str(row.get("topic")) for row in rows if row.get("uri") == self.address}

    async def make(self, event: str) -> object:
        flow = shopify.subscribe(self._connection(), event, self.address)
        return await ask(self._transport, self.merchant, flow, "page")

    def _connection(self) -> ShopifyConnection:
        connection: ShopifyConnection = self._transport.connection(self.merchant)
        return connection


class ReturnGoSubscriptions:
    """One per event; the address ends in our token, so it is never logged."""

    system = "returngo"
    wanted = RETURNGO_EVENTS

    def __init__(self, merchant: str, gateway: str, token: str, transport: Transport) -> None:
        self.merchant = merchant
        self.address = f"{gateway}/returngo/{merchant}/{token}"
        self._transport = transport

    async def present(self) -> set[str]:
        rows = await ask(self._transport, self.merchant, returngo.webhooks(self._connection()), "page")
        return {str(row.get("eventName")) for row in rows if row.get("url") == self.address}

    async def make(self, event: str) -> object:
        flow = returngo.create_webhook(self._connection(), self.address, event)
        return await ask(self._transport, self.merchant, flow, "page")

    def _connection(self) -> ReturnGoConnection:
        connection: ReturnGoConnection = self._transport.connection(self.merchant)
        return connection


class Watch:
    """Looks after the subscriptions of one merchant and system."""

    def __init__(self, each: Subscriptions, outbox: Outbox, memory: Memory, now_ms: Callable[[], int]) -> None:
        self._each = each
        self._outbox = outbox
        self._memory = memory
        self._troubles = Troubles(outbox, memory, now_ms)
        self._now_ms = now_ms

    async def look(self) -> None:
        """Make what is missing; raise what was there before and is gone, until it is there again."""
        try:
            with faults_shown(self._each.system, "looking at subscriptions"):
                missing = sorted(self._each.wanted - await self._each.present())
            await self._lost(missing)
            for event in missing:
                await self._each.make(event)
        except Unread as error:
            log.warning(
                "subscriptions_not_seen", system=self._each.system, merchant=self._each.merchant, reason=error.reason
            )
            if isinstance(error, Misconfigured):
                await self._troubles.refused(self._each.merchant, "subscriptions", error)
            return
        telemetry.SUBSCRIPTIONS_MISSING.labels(self._each.system, self._each.merchant).set(0)
        await self._troubles.answered(self._each.merchant, "subscriptions")
        await self._there(missing)

    async def _lost(self, missing: Iterable[str]) -> None:
        gone = list(missing)
        telemetry.SUBSCRIPTIONS_MISSING.labels(self._each.system, self._each.merchant).set(len(gone))
        known = await self._memory.notes(self._each.merchant, ["subscribed", "problem:subscriptions"])
        if not gone or known.get("subscribed") != _fingerprint(self._each) or "problem:subscriptions" in known:
            return
        detail = f"{self._each.system} no longer delivers {', '.join(gone)}; they are being subscribed to again"
        await self._outbox.complain("subscription_lost", self._each.merchant, "subscriptions", detail, self._now_ms())
        await self._memory.keep(self._each.merchant, {"problem:subscriptions": "subscription_lost"})

    async def _there(self, made: Iterable[str]) -> None:
        known = await self._memory.notes(self._each.merchant, ["problem:subscriptions"])
        if known:
            why = "subscribed to again"
            await self._outbox.clear("subscription_lost", self._each.merchant, "subscriptions", why)
        notes = {"subscribed": _fingerprint(self._each), "problem:subscriptions": None}
        await self._memory.keep(self._each.merchant, notes)
        log.info("subscriptions", system=self._each.system, merchant=self._each.merchant, made=len(list(made)))


def _fingerprint(each: Subscriptions) -> str:
    """Tells an address from another without keeping it: it may hold a token."""
    return ids.digest(each.address.encode())


def of_shopify(merchants: Iterable[Merchant], transport: Transport) -> list[Subscriptions]:
    """Those of every merchant who wants them managed."""
    return [
        ShopifySubscriptions(each.merchant, shop.webhook_url, transport)
        for each in merchants
        if (shop := each.systems.shopify) is not None and shop.webhook_url is not None
    ]


def of_returngo(
    merchants: Iterable[Merchant], transport: Transport, secret: Callable[[str], str]
) -> list[Subscriptions]:
    """As `of_shopify`; `secret` reads the token that ends the address."""
    return [
        ReturnGoSubscriptions(each.merchant, store.webhook_url, secret(store.webhook_token), transport)
        for each in merchants
        if (store := each.systems.returngo) is not None and store.webhook_url is not None
    ]
