"""Which access scope a root field needs; without it the field is ACCESS_DENIED, at the top, whatever else was asked."""

from graphql import GraphQLError

from ops.sandbox.shopify.session import Info, Resolver

NEEDED = {
    "customer": "read_customers",
    "draftOrder": "read_draft_orders",
    "draftOrderComplete": "write_draft_orders",
    "giftCard": "read_gift_cards",
    "giftCardCreate": "write_gift_cards",
    "giftCards": "read_gift_cards",
    "inventoryActivate": "write_inventory",
    "inventoryAdjustQuantities": "write_inventory",
    "inventoryItem": "read_inventory",
    "inventoryItems": "read_inventory",
    "locations": "read_locations",
    "order": "read_orders",
    "orderUpdate": "write_orders",
    "orders": "read_orders",
    "productVariants": "read_products",
    "refundCreate": "write_orders",
    "return": "read_returns",
    "returnClose": "write_returns",
    "returnCreate": "write_returns",
    "returnProcess": "write_returns",
    "returnableFulfillments": "read_returns",
    "reverseFulfillmentOrderDispose": "write_returns",
    "storeCreditAccountCredit": "write_store_credit_account_transactions",
    "tagsAdd": "write_orders",
    "tagsRemove": "write_orders",
}


def guarded(name: str, resolver: Resolver) -> Resolver:
    """The resolver of a root field, behind its scope."""
    scope = NEEDED.get(name)
    if scope is None:
        return resolver

    def resolve(root: object, info: Info, **args: object) -> object:
        if scope not in info.context.shop.scopes:
            text = f"Access denied for {name} field. Required access: `{scope}` access scope."
            raise GraphQLError(text, extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."})
        return resolver(root, info, **args)

    return resolve
