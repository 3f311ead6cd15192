"""The control door's paths; see the package for what they take and give."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ops.sandbox.control import doings, watch
from ops.sandbox.control.door import Handler, Unknown
from ops.sandbox.returngo.views import Json

RUN_HEADER = "X-Returnflow-Run"  # whoever started this process knows by it that it is this one
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/shops", doings.open_shop),
    ("POST", "/shops/{shop}/products", doings.add_to_shop),
    ("POST", "/shops/{shop}/customers", doings.add_to_shop),
    ("POST", "/shops/{shop}/orders", doings.add_to_shop),
    ("POST", "/shops/{shop}/{setting}", doings.set_up_shop),
    ("POST", "/returngo/{shop}/rmas", doings.new_rma),
    ("GET", "/returngo/{shop}/rmas/{rma:int}", doings.show_rma),
    ("POST", "/returngo/{shop}/rmas/{rma:int}/{step}", doings.step_rma),
    ("POST", "/shopify/{shop}/staff/{action}", doings.act_as_staff),
    ("POST", "/faults", watch.add_fault),
    ("GET", "/faults", watch.list_faults),
    ("DELETE", "/faults", watch.remove_faults),
    ("DELETE", "/faults/{fault:int}", watch.remove_faults),
    ("POST", "/latency", watch.set_latency),
    ("GET", "/clock", watch.show_clock),
    ("POST", "/clock", watch.change_clock),
    ("POST", "/reset", watch.reset),
    ("GET", "/books", watch.show_books),
    ("GET", "/calls", watch.show_calls),
    ("GET", "/webhooks", watch.show_webhooks),
    ("POST", "/webhooks/redeliver", watch.redeliver),
    ("POST", "/webhooks/settle", watch.settle_webhooks),
)


def routes() -> list[Route]:
    """All endpoints under /_sandbox, and the two probes."""
    probes = [Route(path, _serves) for path in ("/health", "/ready")]
    return probes + [Route(f"/_sandbox{path}", _served(handler), methods=[verb]) for verb, path, handler in ROUTES]


async def _serves(request: Request) -> Response:
    """It waits for nothing: whoever is answered is served."""
    return PlainTextResponse("ok\n", headers={RUN_HEADER: request.app.state.world.settings.run})


def _served(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        result, status = await _answer(handler, request)
        headers = {RUN_HEADER: request.app.state.world.settings.run}
        return JSONResponse(result, status_code=status, headers=headers)

    return serve


async def _answer(handler: Handler, request: Request) -> tuple[Json, int]:
    try:
        result = handler(request.app.state.world, request, await request.body())
        return (result if isinstance(result, dict) else await result), 200
    except Unknown as error:
        return {"error": str(error)}, 404
    except ValueError as error:
        return {"error": str(error)}, 400
