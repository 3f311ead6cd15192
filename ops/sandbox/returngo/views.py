"""RMAs and transactions as ReturnGO's JSON has them, oddities included: numbers for money, 0/1 flags, one items[]
element per unit."""

from decimal import Decimal

from ops.sandbox.clock import iso_offset
from ops.sandbox.returngo.store import Goods, Payout, Rma, Shipment, Unit

Json = dict[str, object]


def summary(rma: Rma) -> Json:
    """A row of GET /rmas: no items, no money, no dates but those of events."""
    events = [
        {
            "eventName": name,
            "eventDate": iso_offset(at),
            "triggeredVia": via,
            "storeLocationId": "online",
            "userDetails": None,
        }
        for name, at, via in rma.events
    ]
    return {
        "rmaId": str(rma.id),
        "status": rma.status,
        "order_name": rma.order_name.removeprefix("#"),
        "events": events,
    }


def detail(rma: Rma) -> Json:
    """GET /rma/{rmaId}."""
    return {
        "rmaSummary": summary(rma),
        "orderDetails": {"orderId": str(rma.order_id), "order_name": rma.order_name.removeprefix("#")},
        "shipments": [_shipment(each, rma) for each in rma.shipments],
        "items": [_item(unit, rma) for unit in rma.units],
        "comments": [
            {"commentType": each.type, "triggeredBy": each.by, "htmlText": each.html, "datetime": iso_offset(each.at)}
            for each in reversed(rma.comments)
        ],
        "exchangeOrders": [
            {
                "draftOrderId": str(each.draft_order_id),
                "orderId": str(each.order_id) if each.order_id else None,
                "orderName": each.order_name,
                "type": "Exchange",
            }
            for each in rma.exchanges
        ],
        "exchangeItems": _sent(rma.goods, rma),
        "cancellationFee": 0,
        "transactions": [transaction(each) | {"id": str(each.id)} for each in rma.payouts],
        "createdAt": iso_offset(rma.created_at),
        "lastUpdated": iso_offset(rma.updated_at),
        "isOutOfPolicy": 0,
    }


def transaction(payout: Payout) -> Json:
    """A row of GET /transactions: here the id is a number."""
    return {
        "id": payout.id,
        "type": payout.type,
        "externalReferenceId": payout.reference,
        "externalReferenceType": payout.reference_type,
        "amount": money(payout.amount, payout.currency, payout.rate, payout.shop_currency),
        "status": payout.status,
        "processor": payout.processor,
        "bankAccountDetails": None,
        "returnItemIds": [str(unit_id) for unit_id in payout.unit_ids],
        "createdAt": iso_offset(payout.created_at),
        "lastUpdated": iso_offset(payout.updated_at),
    }


def money(amount: Decimal, currency: str, rate: Decimal, shop_currency: str) -> Json:
    """An amount in the customer's and in the shop's currency, as JSON numbers."""
    return {
        "amount": float(amount),
        "currency": currency,
        "shopAmount": float(round(amount * rate, 4)),
        "shopCurrency": shop_currency,
    }


def _shipment(each: Shipment, rma: Rma) -> Json:
    customer = f"Customer {rma.customer_id}" if rma.customer_id else "Customer"
    return {
        "shipmentId": str(each.id),
        "status": each.status,
        "carrierName": each.carrier,
        "requestedServiceLevel": None,
        "actualServiceLevel": None,
        "trackingNumber": each.tracking_number,
        "trackingURL": each.tracking_url,
        "labelURL": each.label_url,
        "customerAddress": _address(customer, f"customer.{rma.customer_id or 0}@example.com"),
        "returnAddress": _address("Returns", "returns@example.com"),
        "isOutbound": False,
    }


def _address(name: str, email: str) -> Json:
    street = {
        "street1": "1 Example Street",
        "street2": "",
        "city": "Example",
        "state": "",
        "zip": "0001",
        "country": "ZA",
    }
    return {"name": name, **street, "phone": "", "email": email}


def _item(unit: Unit, rma: Rma) -> Json:
    item: Json = {
        "shopLineItemId": str(unit.line_item_id),
        "shopProductId": str(unit.product_id) if unit.product_id else None,
        "variantId": str(unit.variant_id) if unit.variant_id else None,
        "returnedItemId": str(unit.id),
        "fullName": f"{unit.title} - {unit.variant_title}" if unit.variant_title else unit.title,
        "productName": unit.title,
        "image": None,
        "sku": unit.sku,
        "paidPrice": money(unit.paid_price, unit.currency, unit.rate, unit.shop_currency),
        "paidTax": money(unit.paid_tax, unit.currency, unit.rate, unit.shop_currency),
        "taxIncluded": unit.tax_included,
        "returnReason": unit.reason,
        "extendedReason": "",
        "resolutionName": unit.resolution,
        "resolutionType": unit.resolution,
        "policyRuleName": "Standard",
        "isAutoApprove": 0,
        "restockingFee": 0,
        "returnFee": 0,
        "shipmentFee": 0,
        "shipmentId": str(unit.shipment_id) if unit.shipment_id else None,
        "returnMethod": {"type": rma.return_method, "name": rma.return_method},
        "itemValidationStatusResponse": _validation(unit),
        "exchangeItems": _sent(unit.goods, rma),
        "followUpQuestions": [],
    }
    optional = {"variantName": unit.variant_title, "barcode": unit.barcode}
    return item | {name: value for name, value in optional.items() if value is not None}


def _sent(goods: list[Goods], rma: Rma) -> list[Json]:
    """What is sent instead; prices in the currency of the return."""

    def price(amount: Decimal | None) -> Json | None:
        first = rma.units[0]
        return None if amount is None else money(amount, first.currency, first.rate, first.shop_currency)

    return [
        {
            "productId": str(each.product_id),
            "variantId": str(each.variant_id),
            "quantity": each.quantity,
            "sku": each.sku,
            "itemPriceMethod": "PaidPrice",
            "freeExchangePriceRange": {"min": 100, "max": 100},
            "catalogPrice": price(each.catalog_price),
            "effectivePrice": price(each.effective_price),
        }
        for each in goods
    ]


def _validation(unit: Unit) -> Json:
    said = unit.validation
    answer: Json = {
        "isRestockable": said.restockable,
        "isReturned": said.returned,
        "nonRestockableReason": said.reason if said.at and said.returned and not said.restockable else None,
        "nonReturnedReason": said.reason if said.at and not said.returned else None,
        "storeLocationId": said.store_location_id,
        "lastValidationDate": iso_offset(said.at) if said.at else None,
        "lastValidatedBy": "Warehouse user" if said.at else None,
        "thirdPartyName": None,
        "userDetails": None,
    }
    return answer | ({"returnedItemId": str(unit.id)} if said.at else {})
