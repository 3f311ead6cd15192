"""Control door: shops, RMAs and staff."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request

from ops.sandbox.control import seed, staff
from ops.sandbox.control.door import Unknown, named_shop, read
from ops.sandbox.control.specs import CustomerSpec, ProductSpec, ShopSpec
from ops.sandbox.returngo import drive, settle
from ops.sandbox.returngo.drive import Case
from ops.sandbox.returngo.request import RmaSpec, request_rma
from ops.sandbox.returngo.views import Json, detail
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.ordering import OrderSpec
from ops.sandbox.world import World

STEPS: dict[str, tuple[type[msgspec.Struct], Callable[..., Json]]] = {
    "approve": (drive.Nothing, drive.approve),
    "reject": (drive.Nothing, drive.reject),
    "cancel": (drive.Nothing, drive.cancel),
    "reopen": (drive.Nothing, drive.reopen),
    "done": (drive.Nothing, drive.done),
    "ship": (drive.Ship, drive.ship),
    "track": (drive.Track, drive.track),
    "receive": (drive.Receive, drive.receive),
    "validate": (drive.Validate, drive.validate),
    "comment": (drive.Remark, drive.remark),
    "edit": (drive.Edit, drive.edit),
    "transaction": (settle.Pay, settle.pay),
    "exchange": (settle.Swap, settle.exchange),
    "release-exchange": (drive.Nothing, settle.release_exchange),
}


class More(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is added to a shop."""

    products: list[ProductSpec] = []
    customers: list[CustomerSpec] = []
    orders: list[OrderSpec] = []


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shop's setting; which one, the path says."""

    state: str | None = None
    client_secret: str | None = None
    version: str | None = None


def _case(world: World, request: Request) -> Case:
    shop = named_shop(world, request)
    store = world.stores[shop.domain]
    rma = store.rmas.get(request.path_params["rma"])
    if rma is None:
        raise Unknown(f"RMA {request.path_params['rma']} is not in {shop.domain}")
    return Case(world=world, shop=shop, store=store, rma=rma)


def open_shop(world: World, _request: Request, body: bytes) -> Json:
    """POST /_sandbox/shops"""
    return seed.open_shop(world, read(body, ShopSpec))


def add_to_shop(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/shops/{shop}/products, customers, orders"""
    more, action = read(body, More), Action(world, named_shop(world, request), "customer")
    seed.add_products(action, more.products)
    seed.add_customers(action, more.customers)
    seed.add_orders(action, more.orders)
    return seed.listing(action.shop)


def set_up_shop(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/shops/{shop}/{setting}"""
    shop, given = named_shop(world, request), read(body, Setting)
    match request.path_params["setting"]:
        case "state" if given.state in ("open", "frozen", "locked", "uninstalled"):
            shop.state = given.state
        case "rotate-secret" if given.client_secret:
            shop.client_secret = given.client_secret
        case "serves" if given.version:
            shop.served_version = given.version
        case "expire-tokens":
            shop.access_tokens.clear()
        case other:
            raise Unknown(f"setting {other} with {msgspec.to_builtins(given)} is not known")
    return {"domain": shop.domain, "state": shop.state, "version": shop.served_version}


def new_rma(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/returngo/{shop}/rmas"""
    shop = named_shop(world, request)
    rma = request_rma(world, shop, world.stores[shop.domain], read(body, RmaSpec))
    return {"rma_id": str(rma.id), "status": rma.status, "units": [str(unit.id) for unit in rma.units]}


def show_rma(world: World, request: Request, _body: bytes) -> Json:
    """GET /_sandbox/returngo/{shop}/rmas/{rma}"""
    return detail(_case(world, request).rma)


def step_rma(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/returngo/{shop}/rmas/{rma}/{step}"""
    case, name = _case(world, request), request.path_params["step"]
    if name not in STEPS:
        raise Unknown(f"step {name} is not known; known: {', '.join(STEPS)}")
    kind, step = STEPS[name]
    result = step(case, read(body, kind))
    return {"rma_id": str(case.rma.id), "status": case.rma.status, **result}


def act_as_staff(world: World, request: Request, body: bytes) -> Json:
    """POST /_sandbox/shopify/{shop}/staff/{action}"""
    name = request.path_params["action"]
    if name not in staff.ACTIONS:
        raise Unknown(f"action {name} is not known; known: {', '.join(staff.ACTIONS)}")
    kind, act = staff.ACTIONS[name]
    action = Action(world, named_shop(world, request), "staff")
    result = act(action, read(body, kind))
    action.publish()
    return result
