"""Seeding a shop and its ReturnGO store from a description."""

from datetime import timedelta
from functools import partial

from ops.sandbox.control.specs import CustomerSpec, LocationSpec, ProductSpec, ShopSpec, VariantSpec
from ops.sandbox.returngo.store import Account, Store
from ops.sandbox.shopify import amounts, payloads, rounding
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.aftersales import ReasonDefinition
from ops.sandbox.shopify.catalogue import Component, Item, Level, Location, Product, Variant
from ops.sandbox.shopify.cost import Bucket
from ops.sandbox.shopify.index import Index
from ops.sandbox.shopify.ordering import OrderSpec, place_order
from ops.sandbox.shopify.sales import Customer, Order
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.stock import new_level
from ops.sandbox.shopify.values import Payload
from ops.sandbox.world import World

SCOPES = (
    "read_orders", "write_orders", "read_all_orders", "read_returns", "write_returns", "read_products",
    "read_inventory", "write_inventory", "read_locations", "read_gift_cards", "write_gift_cards", "read_customers",
    "read_store_credit_accounts", "read_store_credit_account_transactions", "write_store_credit_account_transactions",
    "read_draft_orders", "write_draft_orders", "read_fulfillments", "read_merchant_managed_fulfillment_orders",
)  # fmt: skip
REASONS = ("size-too-small", "size-too-large", "unwanted", "not-as-described", "wrong-item", "defective", "other")


def open_shop(world: World, spec: ShopSpec) -> Payload:
    """Makes the shop with all that is in it; nothing fires, since nobody can have subscribed yet."""
    if spec.domain in world.shops:
        raise ValueError(f"shop {spec.domain} exists already; POST /_sandbox/reset forgets everything")
    lacking = {*spec.without_scopes, *([] if spec.read_all_orders else ["read_all_orders"])}
    shop = Shop(
        domain=spec.domain,
        currency_code=spec.currency,
        client_id=spec.client_id,
        client_secret=spec.client_secret,
        access_tokens={spec.access_token},
        refresh_token=spec.refresh_token,
        bucket=Bucket(spec.bucket_size, spec.restore_rate, spec.bucket_size),
        scopes=tuple(scope for scope in SCOPES if scope not in lacking),
        read_all_orders=spec.read_all_orders,
        idempotency_errors=spec.idempotency_errors,
        issue_limit=spec.gift_card_limit,
        rates=dict(spec.rates),
        index=Index(timedelta(seconds=spec.search_lag_seconds)),
        rounding=rounding.check(spec.rounding),
    )
    action = Action(world, shop, "seed")
    for handle in REASONS:
        name = handle.replace("-", " ").capitalize()
        shop.add(ReasonDefinition(number=action.number(ReasonDefinition), name=name, handle=handle))
    for location in spec.locations or [LocationSpec(name="Main")]:
        _add_location(action, location)
    add_products(action, spec.products)
    add_customers(action, spec.customers)
    for order in spec.orders:
        place_order(action, order)
    _open_store(world, spec)
    world.shops[spec.domain] = shop
    return listing(shop)


def _open_store(world: World, spec: ShopSpec) -> None:
    account = world.accounts.setdefault(
        spec.returngo_key,
        Account(key=spec.returngo_key, daily_limit=spec.daily_limit, per_second_limit=spec.per_second_limit),
    )
    account.daily_limit, account.per_second_limit = spec.daily_limit, spec.per_second_limit
    world.stores[spec.domain] = Store(
        shop=spec.domain, account=account, creates_native_return=spec.creates_native_return
    )


def _add_location(action: Action, spec: LocationSpec) -> None:
    now = action.now()
    number = spec.id if spec.id is not None else action.number(Location)
    action.shop.add(
        Location(
            number=number,
            name=spec.name,
            is_active=spec.active,
            is_fulfillment_service=spec.fulfillment_service,
            created_at=now,
            updated_at=now,
        )
    )


def add_products(action: Action, specs: list[ProductSpec]) -> None:
    """Adds products with their variants, items, levels and bundle parts."""
    now = action.now()
    for spec in specs:
        number = spec.id if spec.id is not None else action.number(Product)
        product = Product(number=number, title=spec.title, is_gift_card=spec.gift_card, created_at=now, updated_at=now)
        action.shop.add(product)
        for variant in spec.variants:
            _add_variant(action, product, variant)
        for thing in (product, *product.variants, *(each.inventory_item for each in product.variants)):
            action.index(thing)


def _add_variant(action: Action, product: Product, spec: VariantSpec) -> None:
    shop, now = action.shop, action.now()
    name = spec.name or spec.sku
    if not name or name in shop.variants:
        raise ValueError(f"SKU or name {name!r} exists already in {shop.domain}, or is empty")
    item = Item(
        number=spec.inventory_item_id if spec.inventory_item_id is not None else action.number(Item),
        sku=spec.sku,
        tracked=spec.tracked,
        created_at=now,
        updated_at=now,
    )
    variant = Variant(
        number=spec.id if spec.id is not None else action.number(Variant),
        title=spec.title,
        known_as=name,
        sku=spec.sku,
        barcode=spec.barcode,
        price=spec.price,
        product=product,
        inventory_item=shop.add(item),
        created_at=now,
        updated_at=now,
    )
    item.variant_of.append(shop.add(variant))
    product.variants.append(variant)
    for part in spec.components:
        if part.sku not in shop.variants:
            raise ValueError(f"bundle {name}: component {part.sku} must come before it")
        component = Component(
            number=action.number(Component), product_variant=shop.variants[part.sku], quantity=part.quantity
        )
        variant.components.append(shop.add(component))
    for location_id, available in spec.stock.items():
        _stock(action, item, location_id, available)
    shop.variants[name] = variant


def _stock(action: Action, item: Item, location_id: int, available: int) -> Level:
    location = action.shop.numbered(Location, location_id)
    if location is None:
        raise ValueError(f"SKU {item.sku}: location {location_id} is not in {action.shop.domain}")
    return new_level(action, item, location, available)


def add_customers(action: Action, specs: list[CustomerSpec]) -> None:
    """Adds customers."""
    now = action.now()
    for spec in specs:
        action.shop.add(
            Customer(
                number=spec.id,
                display_name=spec.name or f"Customer {spec.id}",
                email=spec.email or f"customer.{spec.id}@example.com",
                created_at=now,
                updated_at=now,
            )
        )


def add_orders(action: Action, specs: list[OrderSpec]) -> None:
    """Places orders now; orders/create fires for each."""
    for spec in specs:
        order = place_order(action, spec)
        action.emit("ORDERS_CREATE", order, partial(payloads.order, order))
    action.publish()


def listing(shop: Shop) -> Payload:
    """What a shop holds, by the names a scenario uses."""
    return {
        "domain": shop.domain,
        "locations": {location.name: location.number for location in shop.all(Location)},
        "variants": {
            sku: {
                "variant_id": variant.number,
                "inventory_item_id": variant.inventory_item.number,
                "product_id": variant.product.number,
            }
            for sku, variant in shop.variants.items()
        },
        "orders": {order.name: _order(order) for order in shop.all(Order)},
    }


def _order(order: Order) -> Payload:
    return {
        "id": order.number,
        "total": str(amounts.total(order)),
        "lines": [{"id": line.number, "sku": line.known_as, "quantity": line.quantity} for line in order.lines],
        "transactions": [
            {"id": paid.number, "gateway": paid.gateway, "amount": str(paid.amount)} for paid in order.payments
        ],
    }
