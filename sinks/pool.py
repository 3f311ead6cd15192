"""A connection pool for hundreds of requests at once behind one HTTP client. May touch the network.

httpcore looks at every connection of a pool whenever a request starts or ends, and with hundreds of them a worker would
do little else. So each connection is a pool of its own here, and choosing one is a step.

Proxies and authorities are those of the usual variables: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE.
"""

import ssl
from collections.abc import AsyncIterator
from functools import partial
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import httpx


class Pool(httpx.AsyncBaseTransport):
    """At most `connections` at once; the one that was used last is used next, so the others can fall idle."""

    def __init__(self, connections: int) -> None:
        trusted = httpx.create_ssl_context()  # one for all: it takes a while to load
        self._all = [_Connection(trusted) for _ in range(connections)]
        self._free = list(self._all)
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # When all are busy: wait behind the one with the fewest; the pool time-out bounds that.
        connection = self._free.pop() if self._free else min(self._all, key=lambda each: each.under_way)
        connection.under_way += 1
        try:
            response = await connection.to(self._proxy(request.url)).handle_async_request(request)
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
            await connection.aclose()

    def _proxy(self, url: httpx.URL) -> str | None:
        """Asked of the environment once for each host."""
        if (url.scheme, url.host) not in self._proxies:
            self._proxies[url.scheme, url.host] = proxy_for(url)
        return self._proxies[url.scheme, url.host]


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for an address; None: straight, as always to this machine itself."""
    proxies = getproxies_environment()
    found = proxies.get(url.scheme) or proxies.get("all")
    here = url.host in _HERE or url.host.startswith("127.")
    if not found or here or proxy_bypass_environment(url.host, proxies):
        return None
    return found if "://" in found else f"http://{found}"


_HERE = frozenset({"localhost", "::1"})


class _Connection:
    def __init__(self, trusted: ssl.SSLContext) -> None:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._open = partial(httpx.AsyncHTTPTransport, verify=trusted, limits=one, trust_env=False)
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {None: self._open()}
        self.under_way = 0

    def to(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        """Through the proxy, or straight."""
        if proxy not in self._transports:
            self._transports[proxy] = self._open(proxy=proxy)
        return self._transports[proxy]

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


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
