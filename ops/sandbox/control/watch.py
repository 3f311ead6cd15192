"""Control door: faults, time, and what happened."""

from datetime import UTC, datetime

import msgspec
from starlette.requests import Request

from ops.sandbox.clock import iso
from ops.sandbox.control.door import Unknown, read
from ops.sandbox.control.report import books
from ops.sandbox.faults import Plan
from ops.sandbox.returngo.views import Json
from ops.sandbox.world import World


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time and its speed."""

    set: datetime | None = None
    speed: float | None = None
    advance_seconds: float = 0.0


class Seconds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span of real time."""

    seconds: float = 5.0


class Ids(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Deliveries by id."""

    ids: list[str]


def add_fault(world: World, _request: Request, body: bytes) -> Json:
    """POST /_sandbox/faults"""
    return {"id": world.faults.add(read(body, Plan))}


def list_faults(world: World, _request: Request, _body: bytes) -> Json:
    """GET /_sandbox/faults"""
    return {"faults": world.faults.listed()}


def remove_faults(world: World, request: Request, _body: bytes) -> Json:
    """DELETE /_sandbox/faults and /_sandbox/faults/{fault}"""
    return {"removed": world.faults.remove(request.path_params.get("fault"))}


def set_latency(world: World, _request: Request, body: bytes) -> Json:
    """POST /_sandbox/latency"""
    world.latency_seconds = read(body, Seconds).seconds
    return {"seconds": world.latency_seconds}


def show_clock(world: World, _request: Request, _body: bytes) -> Json:
    """GET /_sandbox/clock"""
    return {"now": iso(world.clock.now()), "speed": world.clock.speed}


def change_clock(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/clock"""
    given = read(body, ClockChange)
    moment = given.set.astimezone(UTC) if given.set else None
    world.clock.change(moment, given.speed, given.advance_seconds)
    return show_clock(world, request, body)


async def reset(world: World, request: Request, _body: bytes) -> Json:
    """POST /_sandbox/reset"""
    await world.close()
    request.app.state.world = request.app.state.anew()
    return {"ok": True}


def show_books(world: World, request: Request, _body: bytes) -> Json:
    """GET /_sandbox/books"""
    domain = request.query_params.get("shop")
    if domain is None:
        return {"shops": {name: books(shop, world.stores[name]) for name, shop in world.shops.items()}}
    if domain not in world.shops:
        raise Unknown(f"shop {domain} is not in the sandbox; it has {sorted(world.shops)}")
    return books(world.shops[domain], world.stores[domain])


def show_calls(world: World, request: Request, _body: bytes) -> Json:
    """GET /_sandbox/calls"""
    wanted = {
        name: request.query_params[name] for name in ("system", "shop", "operation") if name in request.query_params
    }
    rows = [call.listed() for call in world.calls]
    rows = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return {"calls": rows[-int(request.query_params.get("limit", "1000")) :]}


def show_webhooks(world: World, request: Request, _body: bytes) -> Json:
    """GET /_sandbox/webhooks"""
    wanted = {
        name: request.query_params[name]
        for name in ("topic", "state", "shop", "system")
        if name in request.query_params
    }
    rows = [each.listed() for each in world.outgoing.deliveries]
    return {"webhooks": [row for row in rows if all(row[name] == value for name, value in wanted.items())]}


def redeliver(world: World, _request: Request, body: bytes) -> Json:
    """POST /_sandbox/webhooks/redeliver"""
    wanted = set(read(body, Ids).ids)
    again = [each for each in world.outgoing.deliveries if each.id in wanted]
    for delivery in again:
        world.outgoing.again(delivery)
    return {"sent": len(again)}


async def settle_webhooks(world: World, _request: Request, body: bytes) -> Json:
    """POST /_sandbox/webhooks/settle"""
    return {"pending": await world.outgoing.settle(read(body, Seconds).seconds)}
