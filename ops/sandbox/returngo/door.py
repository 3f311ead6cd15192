"""ReturnGO's HTTP side: key and shop headers, the quota of the key, faults, and the endpoints."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ops.sandbox.books import UNNAMED
from ops.sandbox.faults import Plan
from ops.sandbox.mishaps import (
    AFTER,
    BEFORE,
    LATE,
    LATE_SECONDS,
    hang,
    hang_seconds,
    http_fault,
    http_fault_after,
    lost,
    unnamed,
)
from ops.sandbox.returngo import reads, writes
from ops.sandbox.returngo.lists import BadQuery
from ops.sandbox.returngo.store import Account, Store
from ops.sandbox.returngo.visit import Endpoint, Reply, Visit, message
from ops.sandbox.world import Call, World

ENDPOINTS: tuple[tuple[str, str, str, Endpoint], ...] = (
    ("GET", "/rmas", "GET /rmas", reads.list_rmas),
    ("GET", "/rma/{number:int}", "GET /rma", reads.one_rma),
    ("POST", "/rma/{number:int}/comment", "POST /rma/comment", writes.add_comment),
    ("PUT", "/rma/{number:int}/status", "PUT /rma/status", writes.put_status),
    ("PUT", "/shipment/{number:int}", "PUT /shipment", writes.put_shipment),
    ("GET", "/transactions", "GET /transactions", reads.list_transactions),
    ("PUT", "/transaction/{number:int}", "PUT /transaction", writes.put_transaction),
    ("GET", "/webhooks", "GET /webhooks", reads.list_webhooks),
    ("POST", "/webhook", "POST /webhook", writes.add_webhook),
    ("PUT", "/webhook/{number:int}", "PUT /webhook", writes.put_webhook),
    ("DELETE", "/webhook/{number:int}", "DELETE /webhook", writes.delete_webhook),
)


def routes() -> list[Route]:
    """All endpoints under /returngo."""
    found = [
        Route(f"/returngo{path}", _served(name, endpoint), methods=[verb]) for verb, path, name, endpoint in ENDPOINTS
    ]
    return [*found, Route("/returngo/rma/{number}", _bad_id, methods=["GET"])]


def _served(operation: str, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        world: World = request.app.state.world
        store = _admitted(world, request)
        shop = request.headers.get("x-shop-name", "")
        if not isinstance(store, Store):
            _log(world, shop, operation, store[0], None)
            return _answer(store)
        if unnamed(request):
            world.shops[store.shop].books.count(UNNAMED)
        plan = world.faults.take_for_call("returngo", [operation], store.shop)
        return await _carry_out(world, store, request, operation, endpoint, plan)

    return serve


async def _carry_out(
    world: World, store: Store, request: Request, operation: str, endpoint: Endpoint, plan: Plan | None
) -> Response:
    fault = plan.fault if plan else None
    if plan and (early := http_fault(plan)):
        _log(world, store.shop, operation, early.status_code, fault)
        return early
    visit = Visit(
        world=world,
        store=store,
        number=int(request.path_params.get("number", 0)),
        params=request.query_params,
        body=_json(await request.body()),
    )
    if delay := world.latency_seconds + (plan.seconds or 1.0 if plan and fault == "slow" else 0.0):
        await asyncio.sleep(delay)
    if plan and fault == LATE:
        world.later(plan.seconds or LATE_SECONDS, lambda: _reply(endpoint, visit))
    elif fault not in BEFORE:
        reply = _reply(endpoint, visit)
        if after := http_fault_after(plan):
            _log(world, store.shop, operation, after.status_code, fault)
            return after
        if fault not in AFTER:
            _log(world, store.shop, operation, reply[0], fault)
            return Response(b'{"rmas": [', media_type="application/json") if fault == "malformed" else _answer(reply)
    _log(world, store.shop, operation, 0, fault)
    if fault in ("lost_before_apply", "lost_after_apply"):
        return lost()
    return await hang(request, hang_seconds(plan, world.settings.hang_seconds))


def _reply(endpoint: Endpoint, visit: Visit) -> Reply:
    try:
        return endpoint(visit)
    except BadQuery as error:
        return message(400, str(error))


def _admitted(world: World, request: Request) -> Store | Reply:
    account = world.accounts.get(request.headers.get("x-api-key", ""))
    if account is None:
        return message(401, "Unauthorized")
    if refused := _over_quota(world, account):
        account.limited += 1
        return refused
    store = world.stores.get(request.headers.get("x-shop-name", ""))
    return store if store and store.account is account else message(403, "no such shop for this user")


def _over_quota(world: World, account: Account) -> Reply | None:
    second = int(time.monotonic())
    if second != account.second:
        account.second, account.in_second = second, 0
    if account.in_second >= account.per_second_limit:
        return message(429, "Too Many Requests")
    day = world.clock.now().date().isoformat()
    used = account.calls_by_day.get(day, 0)
    if used >= account.daily_limit:
        return message(429, "Limit Exceeded")
    account.in_second += 1
    account.calls_by_day[day] = used + 1
    return None


async def _bad_id(request: Request) -> Response:
    store = _admitted(request.app.state.world, request)
    return _answer(message(400, "invalid rmaId") if isinstance(store, Store) else store)


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _answer(reply: Reply) -> Response:
    request_id = str(uuid.uuid4())
    headers = {
        "x-amzn-requestid": request_id,
        "x-amz-apigw-id": request_id[:15],
        "x-amzn-trace-id": f"Root={request_id}",
    }
    return JSONResponse(reply[1], status_code=reply[0], headers=headers)


def _log(world: World, shop: str, operation: str, status: int, fault: str | None) -> None:
    world.calls.append(
        Call(
            at=world.clock.now(),
            system="returngo",
            shop=shop,
            operation=operation,
            status=status,
            fault=fault,
            key=None,
        )
    )
