"""Bodies of Shopify's webhooks: the REST shapes, numbers instead of GIDs, money as padded strings in the shop's
currency, times with offset."""

from decimal import Decimal

from ops.sandbox.clock import iso_offset
from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.aftersales import NativeReturn, Refund, RefundLine, ReverseOrder
from ops.sandbox.shopify.catalogue import Entity, Item, Level, Location, Product
from ops.sandbox.shopify.sales import LineItem, Order, Shipping, Transaction
from ops.sandbox.shopify.values import Payload, rounded


def order(subject: Order) -> Payload:
    """orders/*"""
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "name": subject.name,
        "created_at": iso_offset(subject.created_at),
        "updated_at": iso_offset(subject.updated_at),
        "closed_at": iso_offset(subject.closed_at) if subject.closed_at else None,
        "cancelled_at": iso_offset(subject.cancelled_at) if subject.cancelled_at else None,
        "currency": subject.currency_code,
        "presentment_currency": subject.presentment_currency_code,
        "taxes_included": subject.taxes_included,
        "financial_status": amounts.financial_status(subject).lower(),
        "fulfillment_status": {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(
            amounts.fulfillment_status(subject)
        ),
        "source_name": subject.source_name,
        "location_id": subject.retail_location.number if subject.retail_location else None,
        "tags": ", ".join(subject.tags),
        "note": subject.note,
        "total_price": _money(amounts.total(subject), subject),
        "line_items": [_line(line) for line in subject.lines],
        "shipping_lines": [_shipping(subject, each) for each in subject.shippings],
        "refunds": [refund(each) for each in subject.refunds],
        "customer": {"id": subject.customer.number} if subject.customer else None,
    }


def edit(subject: Order, added: list[LineItem], removed: list[tuple[LineItem, int]]) -> Payload:
    """orders/edited: what changed, by line; the order itself only by its number."""
    return {
        "order_edit": {
            "order_id": subject.number,
            "line_items": {
                "additions": [{"id": line.number, "delta": line.quantity} for line in added],
                "removals": [{"id": line.number, "delta": quantity} for line, quantity in removed],
            },
        }
    }


def refund(subject: Refund) -> Payload:
    """refunds/create"""
    native = subject.native_return
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "order_id": subject.order.number,
        "created_at": iso_offset(subject.created_at),
        "processed_at": iso_offset(subject.processed_at),
        "note": subject.note,
        "user_id": None,
        "duties": [],
        "return": {"id": native.number, "admin_graphql_api_id": native.id} if native else None,
        "additional_fees": [],
        "order_adjustments": [
            {
                "id": each.number,
                "amount": _money(each.amount, subject.order),
                "kind": "refund_discrepancy",
                "reason": each.reason,
            }
            for each in subject.adjustments
        ],
        "refund_shipping_lines": _refunded_shipping(subject),
        "refund_line_items": [_refund_line(each) for each in subject.lines],
        "transactions": [transaction(each) for each in subject.transactions],
    }


def transaction(subject: Transaction) -> Payload:
    """order_transactions/create"""
    parent = subject.parent_transaction
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "order_id": subject.order.number,
        "kind": subject.kind.lower(),
        "status": subject.status.lower(),
        "gateway": subject.gateway,
        "amount": str(rounded(subject.amount, subject.order.presentment_currency_code)),
        "currency": subject.order.presentment_currency_code,
        "parent_id": parent.number if parent else None,
        "created_at": iso_offset(subject.created_at),
        "error_code": subject.error_code.lower() if subject.error_code else None,
    }


def inventory_level(subject: Level) -> Payload:
    """inventory_levels/update: absolute and without a cause; no figure for an untracked item."""
    return {
        "inventory_item_id": subject.item.number,
        "location_id": subject.location.number,
        "available": subject.quantity("available") if subject.item.tracked else None,
        "updated_at": iso_offset(subject.updated_at),
        "admin_graphql_api_id": subject.id,
    }


def product(subject: Product) -> Payload:
    """products/update"""
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "title": subject.title,
        "status": subject.status.lower(),
        "updated_at": iso_offset(subject.updated_at),
    }


def deleted(subject: Entity) -> Payload:
    """products/delete and inventory_items/delete: its number alone."""
    return {"id": subject.number}


def inventory_item(subject: Item) -> Payload:
    """inventory_items/update"""
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "sku": subject.sku,
        "tracked": subject.tracked,
        "created_at": iso_offset(subject.created_at),
        "updated_at": iso_offset(subject.updated_at),
    }


def location(subject: Location) -> Payload:
    """locations/*"""
    return {
        "id": subject.number,
        "admin_graphql_api_id": subject.id,
        "name": subject.name,
        "active": subject.is_active,
        "updated_at": iso_offset(subject.updated_at),
    }


def approved(subject: NativeReturn) -> Payload:
    """returns/approve names its order as an object."""
    return _ids(subject) | {
        "name": subject.name,
        "status": subject.status.lower(),
        "order": {"id": subject.order.number, "admin_graphql_api_id": subject.order.id},
        "total_return_line_items": sum(line.quantity for line in subject.lines),
    }


def closed(subject: NativeReturn) -> Payload:
    """returns/close, and cancel and reopen, name their order by its number."""
    return _ids(subject) | {"order_id": subject.order.number, "status": subject.status.lower()}


def processed(subject: NativeReturn) -> Payload:
    """returns/process, and returns/update, name the return alone."""
    return {"admin_graphql_api_id": subject.id, "return_line_items": [{"id": line.number} for line in subject.lines]}


def dispose(subject: ReverseOrder) -> Payload:
    """reverse_fulfillment_orders/dispose names itself alone, neither its return nor its order."""
    done = [
        {"id": each.number, "type": each.type.lower(), "quantity": each.quantity}
        for line in subject.lines
        for each in line.dispositions
    ]
    return _ids(subject) | {"total_dispositions": len(done), "dispositions": done}


def _ids(subject: NativeReturn | ReverseOrder) -> Payload:
    return {"id": subject.number, "admin_graphql_api_id": subject.id}


def _line(line: LineItem) -> Payload:
    return {
        "id": line.number,
        "admin_graphql_api_id": line.id,
        "variant_id": line.variant.number if line.variant else None,
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "current_quantity": line.refundable,
        "fulfillable_quantity": line.unfulfilled,
        "price": _money(line.unit_price, line.order),
        "total_discount": _money(Decimal(0), line.order),
        "discount_allocations": [
            {"amount": _money(amount, line.order), "discount_application_index": discount.index}
            for discount, amount in line.allocations
        ],
        "tax_lines": [{"title": "Tax", "rate": float(line.tax_rate), "price": _money(line.tax, line.order)}]
        if line.tax_rate
        else [],
        "fulfillment_status": _sent(line),
        "sales_line_item_group_id": line.group.number if line.group else None,
    }


def _shipping(order: Order, each: Shipping) -> Payload:
    taxes = [{"title": "Tax", "rate": float(each.tax_rate), "price": _money(each.tax, order)}] if each.tax_rate else []
    return {
        "id": each.number,
        "title": each.title,
        "price": _money(each.price, order),
        "discounted_price": _money(each.discounted_price, order),
        "tax_lines": taxes,
    }


def _refund_line(each: RefundLine) -> Payload:
    line = each.line_item
    return {
        "id": each.number,
        "line_item_id": line.number,
        "quantity": each.quantity,
        "restock_type": each.restock_type.lower(),
        "location_id": each.location.number if each.location else None,
        "subtotal": _money(each.subtotal, line.order),
        "total_tax": _money(each.tax, line.order),
        "line_item": {
            "id": line.number,
            "sku": line.sku,
            "variant_id": line.variant.number if line.variant else None,
            "quantity": line.quantity,
            "sales_line_item_group_id": line.group.number if line.group else None,
        },
    }


def _sent(line: LineItem) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if line.unfulfilled else "fulfilled"


def _refunded_shipping(subject: Refund) -> list[Payload]:
    if not subject.shipping:
        return []
    amounts_of = {
        "subtotal_amount": _money(subject.shipping, subject.order),
        "tax_amount": _money(subject.shipping_tax, subject.order),
    }
    return [{"id": subject.number, "shipping_line": {"id": subject.order.shippings[0].number}, **amounts_of}]


def _money(amount: Decimal, subject: Order) -> str:
    return str(rounded(amount * subject.rate, subject.currency_code))
