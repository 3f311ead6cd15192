"""How refunds, returns, fulfilments, gift cards and credit read: resolvers of fields that are more than an
attribute."""

from typing import Unpack

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.aftersales import NativeReturn, Refund, RefundLine, ReturnLine, ReverseOrder
from ops.sandbox.shopify.connections import Page, connection, paged
from ops.sandbox.shopify.read_orders import shipping_line
from ops.sandbox.shopify.returns import returnable
from ops.sandbox.shopify.sales import Customer, DraftOrder, Fulfillment, FulfillmentLine, Order
from ops.sandbox.shopify.search import search
from ops.sandbox.shopify.session import Info, Resolvers
from ops.sandbox.shopify.suggest import suggested_financial_outcome
from ops.sandbox.shopify.values import ZERO, Money, Payload, parse_gid
from ops.sandbox.shopify.wallet import CreditAccount, GiftCard


def _shipping_refunds(refund: Refund, _info: Info, **page: Unpack[Page]) -> Payload:
    return connection(_shipping_rows(refund), **page)


def _shipping_rows(refund: Refund) -> list[Payload]:
    """A refund's part of each shipping line: refunds use up the lines in their order."""
    order, rows, end = refund.order, list[Payload](), ZERO
    before = sum((each.shipping for each in order.refunds if each.number < refund.number), ZERO)
    for line in order.shippings:
        start, end = end, end + line.discounted_price
        first = max(start, before)
        part = min(end, before + refund.shipping) - first
        if part > 0:
            row = {
                "id": f"gid://shopify/RefundShippingLine/{refund.number}{len(rows)}",
                "shipping_line": shipping_line(order, line),
                "subtotal_amount_set": order.bag(part),
                "tax_amount_set": order.bag(amounts.shipping_tax(order, part, first)),
            }
            rows.append(row)
    return rows


def _sent_worth(sent: FulfillmentLine, _info: Info) -> object:
    line = sent.line_item
    return line.order.bag(line.discounted_total * sent.quantity / line.quantity)


def _return_line_worth(line: ReturnLine, _info: Info) -> object:
    bought = line.fulfillment_line_item.line_item
    return bought.order.bag(bought.discounted_total * line.quantity / bought.quantity)


def _returnables(order: Order) -> list[Payload]:
    rows: list[Payload] = []
    for parcel in order.fulfillments:
        lines = [
            {"fulfillment_line_item": sent, "quantity": units}
            for sent in parcel.lines
            if (units := returnable(order, sent))
        ]
        if lines:
            rows.append(
                {
                    "__typename": "ReturnableFulfillment",
                    "id": f"gid://shopify/ReturnableFulfillment/{parcel.number}",
                    "fulfillment": parcel,
                    "lines": lines,
                }
            )
    return rows


def _returnable_fulfillments(_root: object, info: Info, order_id: str, **page: Unpack[Page]) -> Payload:
    order = info.context.shop.find(Order, order_id)
    return connection(_returnables(order) if order else [], **page)


def _returnable_fulfillment(_root: object, info: Info, gid: str) -> Payload | None:
    parsed = parse_gid(gid)
    parcel = info.context.shop.numbered(Fulfillment, parsed[1]) if parsed else None
    return next((row for row in _returnables(parcel.order) if row["fulfillment"] is parcel), None) if parcel else None


def _gift_cards(
    _root: object, info: Info, query: str | None = None, sort_key: str | None = None, **page: Unpack[Page]
) -> Payload:
    del sort_key
    rows = info.context.shop.searched(GiftCard, query, info.context.world.clock.now())
    return connection(search(rows, query), **page)


def _gift_limits(_root: object, info: Info) -> Payload:
    shop = info.context.shop
    return {
        "issue_limit": Money(shop.issue_limit + ZERO, shop.currency_code),
        "purchase_limit": Money(shop.issue_limit + ZERO, shop.currency_code),
    }


def _refund_line_price(line: RefundLine, _info: Info) -> object:
    return line.line_item.order.bag(line.line_item.unit_price)


RESOLVERS: dict[str, Resolvers] = {
    "Refund": {
        "duties": lambda _refund, _info: [],
        "orderAdjustments": paged(lambda refund: refund.adjustments),
        "refundLineItems": paged(lambda refund: refund.lines),
        "refundShippingLines": _shipping_refunds,
        "return": lambda refund, _info: refund.native_return,
        "totalRefundedSet": lambda refund, _info: refund.total_bag,
        "transactions": paged(lambda refund: refund.transactions),
    },
    "OrderAdjustment": {
        "amountSet": lambda each, _info: each.order.bag(each.amount),
        "taxAmountSet": lambda each, _info: each.order.bag(ZERO),
    },
    "RefundLineItem": {
        "priceSet": lambda line, info: line["price_set"] if isinstance(line, dict) else _refund_line_price(line, info),
        "subtotalSet": lambda line, _info: (
            line["subtotal_set"] if isinstance(line, dict) else line.line_item.order.bag(line.subtotal)
        ),
        "totalTaxSet": lambda line, _info: (
            line["total_tax_set"] if isinstance(line, dict) else line.line_item.order.bag(line.tax)
        ),
    },
    "Return": {
        "exchangeLineItems": paged(lambda native: native.exchange_lines),
        "refunds": paged(lambda native: native.refunds),
        "requestApprovedAt": lambda native, _info: native.created_at,
        "returnLineItems": paged(lambda native: native.lines),
        "reverseFulfillmentOrders": paged(lambda native: native.reverse_orders),
        "suggestedFinancialOutcome": suggested_financial_outcome,
        "totalQuantity": lambda native, _info: sum(line.quantity for line in native.lines),
    },
    "ReturnLineItem": {
        "customerNote": lambda _line, _info: None,
        "processableQuantity": lambda line, _info: line.unprocessed_quantity,
        "returnReasonDefinition": lambda line, _info: line.reason_definition,
        "withCodeDiscountedTotalPriceSet": _return_line_worth,
    },
    "ExchangeLineItem": {
        "processableQuantity": lambda line, _info: line.quantity - line.processed_quantity,
        "unprocessedQuantity": lambda line, _info: line.quantity - line.processed_quantity,
    },
    "ReverseFulfillmentOrder": {
        "lineItems": paged(lambda reverse: reverse.lines),
        "order": lambda reverse, _info: reverse.native_return.order,
    },
    "ReturnableFulfillment": {"returnableFulfillmentLineItems": paged(lambda row: row["lines"])},
    "Fulfillment": {
        "fulfillmentLineItems": paged(lambda parcel: parcel.lines),
        "requiresShipping": lambda _parcel, _info: True,
        "status": lambda _parcel, _info: "SUCCESS",
        "totalQuantity": lambda parcel, _info: sum(line.quantity for line in parcel.lines),
        "trackingInfo": lambda _parcel, _info, **_unheard: [],
    },
    "FulfillmentLineItem": {
        "discountedTotalSet": _sent_worth,
        "originalTotalSet": lambda sent, _info: sent.line_item.order.bag(sent.line_item.unit_price * sent.quantity),
    },
    "DraftOrder": {
        "customAttributes": lambda _draft, _info: [],
        "presentmentCurrencyCode": lambda draft, _info: draft.currency_code,
        "note2": lambda draft, _info: draft.note,
        "totalPriceSet": lambda draft, _info: {
            "presentment_money": Money(draft.total, draft.currency_code),
            "shop_money": Money(draft.total, draft.currency_code),
        },
    },
    "GiftCard": {
        "deactivatedAt": lambda _card, _info: None,
        "enabled": lambda _card, _info: True,
        "lastCharacters": lambda card, _info: card.code[-4:],
        "maskedCode": lambda card, _info: f"•••• •••• •••• {card.code[-4:]}",
        "order": lambda _card, _info: None,
        "templateSuffix": lambda _card, _info: None,
        "updatedAt": lambda card, _info: card.created_at,
    },
    "StoreCreditAccount": {
        "transactions": paged(lambda account: account.credits),
    },
    "StoreCreditAccountCreditTransaction": {"remainingAmount": lambda credit, _info: credit.amount},
    "Customer": {
        "storeCreditAccounts": paged(lambda customer: list(customer.accounts.values())),
    },
}
ROOT: Resolvers = {
    "customer": lambda _root, info, gid: info.context.shop.find(Customer, gid),
    "draftOrder": lambda _root, info, gid: info.context.shop.find(DraftOrder, gid),
    "fulfillment": lambda _root, info, gid: info.context.shop.find(Fulfillment, gid),
    "giftCard": lambda _root, info, gid: info.context.shop.find(GiftCard, gid),
    "giftCardConfiguration": _gift_limits,
    "giftCards": _gift_cards,
    "refund": lambda _root, info, gid: info.context.shop.find(Refund, gid),
    "return": lambda _root, info, gid: info.context.shop.find(NativeReturn, gid),
    "returnableFulfillment": _returnable_fulfillment,
    "returnableFulfillments": _returnable_fulfillments,
    "reverseFulfillmentOrder": lambda _root, info, gid: info.context.shop.find(ReverseOrder, gid),
    "storeCreditAccount": lambda _root, info, gid: info.context.shop.find(CreditAccount, gid),
}
