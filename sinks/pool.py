"""A connection pool for hundreds of requests at once behind one HTTP client. May touch the network.

httpcore looks at every connection of a pool whenever a request starts or ends, and with hundreds of them a worker would
do little else. So each connection is a pool of its own here, and choosing one is a step.
"""

import ssl
from collections.abc import AsyncIterator

import httpx


class Pool(httpx.AsyncBaseTransport):
    """At most `connections` at once; the one that was used last is used next, so the others can fall idle."""

    def __init__(self, connections: int) -> None:
        trusted = httpx.create_ssl_context(trust_env=False)  # one for all: it takes a while to load
        self._all = [_Connection(trusted) for _ in range(connections)]
        self._free = list(self._all)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # When all are busy: wait behind the one with the fewest; the pool time-out bounds that.
        connection = self._free.pop() if self._free else min(self._all, key=lambda each: each.under_way)
        connection.under_way += 1
        try:
            response = await connection.transport.handle_async_request(request)
        except BaseException:
            self.done(connection)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Body(response.stream, self, connection)
        return response

    def done(self, connection: "_Connection") -> None:
        connection.under_way -= 1
        if connection.under_way == 0:
            self._free.append(connection)

    async def aclose(self) -> None:
        for connection in self._all:
            await connection.transport.aclose()


class _Connection:
    def __init__(self, trusted: ssl.SSLContext) -> None:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self.transport = httpx.AsyncHTTPTransport(verify=trusted, limits=one, trust_env=False)
        self.under_way = 0


class _Body(httpx.AsyncByteStream):
    """A body whose end frees its connection."""

    def __init__(self, stream: httpx.AsyncByteStream, pool: Pool, connection: _Connection) -> None:
        self._stream = stream
        self._pool = pool
        self._connection: _Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        try:
            await self._stream.aclose()
        finally:
            if connection is not None:
                self._pool.done(connection)
