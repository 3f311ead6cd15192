"""Puts the sandbox together: one Starlette app over one world."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ops.sandbox.control import routes as control
from ops.sandbox.returngo import door as returngo
from ops.sandbox.settings import Settings
from ops.sandbox.shopify import door as shopify
from ops.sandbox.world import World


def build(settings: Settings, webhooks_through: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """The app. `webhooks_through` replaces the network for outgoing webhooks, in tests."""

    def anew() -> World:
        return World(settings, webhooks_through)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await app.state.world.close()

    app = Starlette(
        routes=[*shopify.routes(), *returngo.routes(), *control.routes()],
        exception_handlers={ClientDisconnect: _hung_up},
        lifespan=lifespan,
    )
    app.state.world = anew()
    app.state.anew = anew
    return app


async def _hung_up(_request: Request, _error: Exception) -> Response:
    """The caller went away while it was still sending: nothing was done, and nobody is there to be told."""
    return Response(status_code=499)
