"""ReturnGO's reading endpoints."""

from ops.sandbox.returngo.lists import by_date, by_list, ordered, page
from ops.sandbox.returngo.store import Payout, Rma
from ops.sandbox.returngo.views import detail, summary, transaction
from ops.sandbox.returngo.visit import Reply, Visit, message


def list_rmas(visit: Visit) -> Reply:
    """GET /rmas"""
    params = visit.params
    rows: list[Rma] = sorted(visit.store.rmas.values(), key=lambda rma: rma.id)
    rows = by_date(rows, params, "rma_created_at", lambda rma: rma.created_at)
    rows = by_date(rows, params, "rma_updated_at", lambda rma: rma.updated_at)
    rows = by_list(rows, params, "status", lambda rma: [rma.status])
    rows = by_list(rows, params, "order_name", lambda rma: [rma.order_name, rma.order_name.removeprefix("#")])
    rows = by_list(rows, params, "customer_ids", lambda rma: [str(rma.customer_id)])
    rows = by_list(rows, params, "tracking_numbers", lambda rma: [str(each.tracking_number) for each in rma.shipments])
    rows = ordered(
        rows,
        params,
        {
            "rma_created_at": lambda rma: rma.created_at.timestamp(),
            "rma_updated_at": lambda rma: rma.updated_at.timestamp(),
            "id": lambda rma: rma.id,
        },
    )
    taken, cursor = page(rows, params, "returns.id:", lambda rma: rma.id)
    return 200, {"rmas": [summary(rma) for rma in taken]} | ({"next_cursor": cursor} if cursor else {})


def one_rma(visit: Visit) -> Reply:
    """GET /rma/{rmaId}"""
    rma = visit.store.rmas.get(visit.number)
    return (200, detail(rma)) if rma else message(404, "RMA not found")


def list_transactions(visit: Visit) -> Reply:
    """GET /transactions"""
    params = visit.params
    order_of = {payout.id: str(rma.order_id) for rma in visit.store.rmas.values() for payout in rma.payouts}
    rows: list[Payout] = sorted(
        (each for rma in visit.store.rmas.values() for each in rma.payouts), key=lambda each: each.id
    )
    rows = by_date(rows, params, "created_at", lambda each: each.created_at)
    rows = by_date(rows, params, "updated_at", lambda each: each.updated_at)
    rows = by_list(rows, params, "rma_ids", lambda each: [str(each.rma_id)])
    rows = by_list(rows, params, "order_ids", lambda each: [order_of[each.id]])
    rows = by_list(rows, params, "statuses", lambda each: [each.status])
    rows = by_list(rows, params, "types", lambda each: [each.type])
    rows = by_list(rows, params, "processors", lambda each: [each.processor])
    rows = by_list(rows, params, "ids", lambda each: [str(each.id)])
    rows = ordered(
        rows,
        params,
        {
            "created_at": lambda each: each.created_at.timestamp(),
            "updated_at": lambda each: each.updated_at.timestamp(),
            "id": lambda each: each.id,
        },
    )
    taken, cursor = page(rows, params, "", lambda each: each.id)
    return 200, {"transactions": [transaction(each) for each in taken]} | ({"next_cursor": cursor} if cursor else {})


def list_webhooks(visit: Visit) -> Reply:
    """GET /webhooks"""
    return 200, [{"id": str(hook.id), "url": hook.url, "eventName": hook.event} for hook in visit.store.hooks.values()]
