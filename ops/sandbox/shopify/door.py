"""Shopify's HTTP side: the GraphQL endpoint with token, version, cost and faults, and the token endpoint."""

import asyncio
import json
import secrets
import uuid
from dataclasses import dataclass

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
from ops.sandbox.shopify import cost, execute, idempotency
from ops.sandbox.shopify.session import Session
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Payload
from ops.sandbox.world import Call, World

BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
STATES = {"frozen": (402, "Unavailable Shop"), "locked": (423, "Locked"), "uninstalled": (401, BAD_TOKEN)}
EFFECT_FAULTS = frozenset(
    {"internal_error", "access_denied", "service_unavailable", "refund_pending", "refund_failure"}
)
MAX_BODY = 2_000_000


@dataclass(slots=True, kw_only=True, frozen=True)
class Asked:
    """A request's body."""

    query: str
    variables: dict[str, object]
    operation_name: str | None


def routes() -> list[Route]:
    """The routes of all shops; the shop's domain is part of the path."""
    return [
        Route("/shopify/{shop}/admin/api/{version}/graphql.json", graphql, methods=["POST"]),
        Route("/shopify/{shop}/admin/oauth/access_token", access_token, methods=["POST"]),
    ]


async def graphql(request: Request) -> Response:
    """POST graphql.json"""
    world: World = request.app.state.world
    shop = world.shops.get(request.path_params["shop"])
    if shop is None:
        return _answer(404, {"errors": "Not Found"})
    if unnamed(request):
        shop.books.count(UNNAMED)
    if refused := _refused(shop, request):
        _log(world, shop, "?", refused.status_code, None, None)
        return refused
    asked = _asked(await request.body())
    if asked is None:
        return _answer(400, {"errors": {"query": "Required parameter missing or invalid"}}, shop)
    prepared = execute.prepare(asked.query, asked.operation_name)
    plan = world.faults.take_for_call("shopify", prepared.names, shop.domain)
    shop.books.count_day(world.clock.now())
    return await _serve(world, shop, request, asked, prepared, plan)


async def _serve(
    world: World, shop: Shop, request: Request, asked: Asked, prepared: execute.Prepared, plan: Plan | None
) -> Response:
    fault = plan.fault if plan else None
    name = "+".join(prepared.fields) or "invalid"
    if plan and (early := http_fault(plan)):
        _log(world, shop, name, early.status_code, fault, None)
        return early
    if prepared.operation is None or prepared.document is None:
        _log(world, shop, name, 200, fault, None)
        return _answer(200, {"errors": prepared.errors}, shop)
    points = cost.requested_cost(prepared.document, prepared.operation, asked.variables)
    if points > cost.MAX_QUERY_COST:
        text = f"Query cost is {points}, which exceeds the single query max cost limit ({cost.MAX_QUERY_COST})."
        return _answer(200, {"errors": [{"message": text, "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, shop)
    if fault == "throttled" or not shop.bucket.take(points):
        shop.books.count("throttled")
        _log(world, shop, name, 200, "throttled", None)
        error = {
            "message": "Throttled",
            "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
        }
        return _answer(200, {"errors": [error], "extensions": _cost(shop, points, None)}, shop)
    return await _carry_out(world, shop, request, asked, prepared, plan, points)


async def _carry_out(
    world: World, shop: Shop, request: Request, asked: Asked, prepared: execute.Prepared, plan: Plan | None, points: int
) -> Response:
    fault = plan.fault if plan else None
    claims = idempotency.claims_of(prepared.operation, asked.variables, object()) if prepared.operation else {}
    busy = shop.keys.begin(list(claims.values()), world.clock.now())
    try:
        if delay := world.latency_seconds + (plan.seconds or 1.0 if plan and fault == "slow" else 0.0):
            await asyncio.sleep(delay)
        if plan and fault == LATE:
            world.later(plan.seconds or LATE_SECONDS, lambda: _run_late(world, shop, asked, prepared, claims))
        if plan and fault in BEFORE | {LATE}:
            return await _no_answer(world, shop, request, prepared, plan, claims)
        if fault == "unknown_error":
            _log(world, shop, "+".join(prepared.fields), 200, fault, claims)
            return _answer(200, _unknown_error(prepared), shop)
        session = Session(
            world=world, shop=shop, claims=claims, busy=busy, fault=fault if fault in EFFECT_FAULTS else None
        )
        answer = execute.run(prepared, asked.variables, asked.operation_name, session)
    finally:
        shop.keys.release(list(claims.values()))
    spent = cost.actual_cost(points, answer.get("data"))
    shop.bucket.give_back(points - spent)
    _count(shop, prepared, answer)
    if plan and fault in AFTER:
        return await _no_answer(world, shop, request, prepared, plan, claims)
    if after := http_fault_after(plan):
        _log(world, shop, "+".join(prepared.fields), after.status_code, fault, claims)
        return after
    _log(world, shop, "+".join(prepared.fields), 200, fault, claims)
    if fault == "unknown_error_after_apply":
        return _answer(200, _unknown_error(prepared), shop)
    if fault == "malformed":
        return Response(b'{"data": {"', media_type="application/json")
    return _answer(200, answer | {"extensions": _cost(shop, points, spent)}, shop)


async def _no_answer(
    world: World,
    shop: Shop,
    request: Request,
    prepared: execute.Prepared,
    plan: Plan,
    claims: dict[str, idempotency.Claim],
) -> Response:
    _log(world, shop, "+".join(prepared.fields), 0, plan.fault, claims)
    if plan.fault.startswith("lost"):
        return lost()
    return await hang(request, hang_seconds(plan, world.settings.hang_seconds))


def _run_late(
    world: World, shop: Shop, asked: Asked, prepared: execute.Prepared, claims: dict[str, idempotency.Claim]
) -> None:
    busy = shop.keys.begin(list(claims.values()), world.clock.now())
    try:
        session = Session(world=world, shop=shop, claims=claims, busy=busy, fault=None)
        execute.run(prepared, asked.variables, asked.operation_name, session)
    finally:
        shop.keys.release(list(claims.values()))


def _unknown_error(prepared: execute.Prepared) -> Payload:
    """No code, no words that anybody knows, and nothing of whether it ran."""
    errors = [{"message": "The gremlins were here", "path": [prepared.fields[0]]}]
    return {"data": dict.fromkeys(prepared.fields), "errors": errors}


def _refused(shop: Shop, request: Request) -> Response | None:
    if shop.state in STATES:
        status, text = STATES[shop.state]
        return _answer(status, {"errors": text}, shop)
    if request.headers.get("x-shopify-access-token") not in shop.access_tokens:
        return _answer(401, {"errors": BAD_TOKEN}, shop)
    return None


def _asked(body: bytes) -> Asked | None:
    try:
        raw = json.loads(body) if len(body) <= MAX_BODY else None
    except ValueError:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("query"), str):
        return None
    variables, name = raw.get("variables") or {}, raw.get("operationName")
    if not isinstance(variables, dict) or not (name is None or isinstance(name, str)):
        return None
    return Asked(query=raw["query"], variables=variables, operation_name=name or None)


def _cost(shop: Shop, requested: int, actual: int | None) -> Payload:
    return {
        "cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": shop.bucket.status()}
    }


def _count(shop: Shop, prepared: execute.Prepared, answer: Payload) -> None:
    for name in prepared.fields:
        shop.books.count(f"call_{name}")
    if answer.get("errors"):
        shop.books.count("answered_with_errors")


def _log(
    world: World,
    shop: Shop,
    operation: str,
    status: int,
    fault: str | None,
    claims: dict[str, idempotency.Claim] | None,
) -> None:
    key = next((claim.key for claim in claims.values()), None) if claims else None
    world.calls.append(
        Call(
            at=world.clock.now(),
            system="shopify",
            shop=shop.domain,
            operation=operation,
            status=status,
            fault=fault,
            key=key,
        )
    )


def _answer(status: int, body: Payload, shop: Shop | None = None) -> Response:
    headers = {"X-Request-Id": str(uuid.uuid4())} | ({"X-Shopify-API-Version": shop.served_version} if shop else {})
    return JSONResponse(body, status_code=status, headers=headers)


async def access_token(request: Request) -> Response:
    """POST /admin/oauth/access_token: client credentials, or a refresh token that dies on use."""
    world: World = request.app.state.world
    shop = world.shops.get(request.path_params["shop"])
    if shop is None:
        return _answer(404, {"errors": "Not Found"})
    given = await _form(request)
    if (given.get("client_id"), given.get("client_secret")) != (shop.client_id, shop.client_secret):
        return _answer(400, {"error": "invalid_client"}, shop)
    match given.get("grant_type"):
        case "client_credentials":
            token = _new_token(shop)
            return _answer(200, {"access_token": token, "scope": ",".join(shop.scopes), "expires_in": 86399}, shop)
        case "refresh_token" if given.get("refresh_token") == shop.refresh_token:
            shop.refresh_token = f"shprt_{secrets.token_hex(16)}"
            token = _new_token(shop)
            body: Payload = {"access_token": token, "expires_in": 3600, "refresh_token": shop.refresh_token}
            return _answer(200, body | {"refresh_token_expires_in": 7_776_000, "scope": ",".join(shop.scopes)}, shop)
    return _answer(400, {"error": "invalid_grant"}, shop)


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            raw = json.loads(body)
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in raw.items()} if isinstance(raw, dict) else {}
    from urllib.parse import parse_qsl

    return dict(parse_qsl(body.decode(errors="replace")))


def _new_token(shop: Shop) -> str:
    token = f"shpat_{secrets.token_hex(16)}"
    shop.access_tokens.add(token)
    return token
