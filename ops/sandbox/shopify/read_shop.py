"""How the shop itself, its metafields and its webhook subscriptions read, and nodes of any type."""

import json
from typing import Unpack

from ops.sandbox.shopify.catalogue import Entity
from ops.sandbox.shopify.connections import Page, connection
from ops.sandbox.shopify.session import Info, Resolvers
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Payload
from ops.sandbox.shopify.wallet import Metafield, Subscription

OWNER_TYPES = {
    "Order": "ORDER",
    "Customer": "CUSTOMER",
    "Product": "PRODUCT",
    "ProductVariant": "PRODUCTVARIANT",
    "Location": "LOCATION",
}


def _shop(_root: object, info: Info) -> Payload:
    shop = info.context.shop
    return {
        "__typename": "Shop",
        "id": "gid://shopify/Shop/1",
        "currency_code": shop.currency_code,
        "email": "shop@example.com",
        "enabled_presentment_currencies": [shop.currency_code],
        "iana_timezone": "Etc/UTC",
        "myshopify_domain": shop.domain,
        "name": shop.domain.partition(".")[0],
        "taxes_included": True,
        "url": f"https://{shop.domain}",
    }


def _app(_root: object, info: Info) -> Payload:
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in info.context.shop.scopes]
    return {"id": "gid://shopify/AppInstallation/1", "access_scopes": scopes}


def _owned(owner: object, info: Info) -> list[Metafield]:
    gid = owner.id if isinstance(owner, Entity) else "gid://shopify/Shop/1"
    return [each for (owner_id, _, _), each in info.context.shop.metafields.items() if owner_id == gid]


def _metafield(owner: object, info: Info, key: str, namespace: str | None = None) -> Metafield | None:
    gid = owner.id if isinstance(owner, Entity) else "gid://shopify/Shop/1"
    return info.context.shop.metafields.get((gid, namespace or "app", key))


def _metafields(
    owner: object, info: Info, namespace: str | None = None, keys: list[str] | None = None, **page: Unpack[Page]
) -> Payload:
    rows = [
        each
        for each in _owned(owner, info)
        if (namespace is None or each.namespace == namespace)
        and (keys is None or each.key in keys or f"{each.namespace}.{each.key}" in keys)
    ]
    return connection(rows, **page)


def _json_value(field: Metafield, _info: Info) -> object:
    return json.loads(field.value) if field.type in ("json", "number_integer", "boolean") else field.value


def _subscriptions(
    _root: object,
    info: Info,
    topics: list[str] | None = None,
    uri: str | None = None,
    callback_url: str | None = None,
    media: str | None = None,
    query: str | None = None,
    sort_key: str | None = None,
    **page: Unpack[Page],
) -> Payload:
    del query, sort_key
    address = uri or callback_url
    rows = [
        each
        for each in info.context.shop.all(Subscription)
        if (topics is None or each.topic in topics)
        and (address is None or each.uri == address)
        and (media is None or each.format == media)
    ]
    return connection(rows, **page)


def _version(_subscription: Subscription, info: Info) -> Payload:
    shop: Shop = info.context.shop
    return {"display_name": shop.served_version, "handle": shop.served_version, "supported": True}


WITH_METAFIELDS: Resolvers = {"metafield": _metafield, "metafields": _metafields}
RESOLVERS: dict[str, Resolvers] = {
    "Shop": WITH_METAFIELDS,
    "Order": WITH_METAFIELDS,
    "Customer": WITH_METAFIELDS,
    "Product": WITH_METAFIELDS,
    "ProductVariant": WITH_METAFIELDS,
    "Metafield": {
        "jsonValue": _json_value,
        "ownerType": lambda field, _info: OWNER_TYPES.get(field.owner.typename, "SHOP"),
    },
    "WebhookSubscription": {
        "apiVersion": _version,
        "metafieldNamespaces": lambda _subscription, _info: [],
    },
}
ROOT: Resolvers = {
    "currentAppInstallation": _app,
    "node": lambda _root, info, gid: info.context.shop.node(gid),
    "nodes": lambda _root, info, ids: [info.context.shop.node(each) for each in ids],
    "shop": _shop,
    "webhookSubscription": lambda _root, info, gid: info.context.shop.find(Subscription, gid),
    "webhookSubscriptions": _subscriptions,
}
