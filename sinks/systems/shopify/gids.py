"""Shopify's global ids. Records carry the number only; flows speak in global ids."""


def gid(kind: str, number: str) -> str:
    """`gid("Order", "5")` is `gid://shopify/Order/5`."""
    return f"gid://shopify/{kind}/{number}"


def number(global_id: str) -> str:
    """The number of a global id, without the query part that inventory levels have."""
    return global_id.rsplit("/", 1)[-1].partition("?")[0]
