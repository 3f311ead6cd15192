"""Requests to systems go through the proxy that the usual variables name, and trust the authority that they name."""

import asyncio
import ssl
from pathlib import Path

import certifi
import httpx
import pytest

from sinks import pool
from sinks.pool import Pool, proxy_for

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "https://shop.example", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://shop.example", "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "https://shop.example", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://shop.example", None),
        ({"ALL_PROXY": "http://all:1"}, "http://shop.example", "http://all:1"),
        ({"ALL_PROXY": "http://all:1", "NO_PROXY": "shop.example"}, "https://shop.example", None),
        ({"ALL_PROXY": "http://all:1", "NO_PROXY": ".example"}, "https://my.shop.example", None),
        ({"ALL_PROXY": "http://all:1", "NO_PROXY": "*"}, "https://shop.example", None),
        ({"ALL_PROXY": "http://all:1"}, "http://127.0.0.1:8900", None),
        ({"ALL_PROXY": "http://all:1"}, "http://localhost:8900", None),
        ({"ALL_PROXY": "http://all:1"}, "http://[::1]:8900", None),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, expected: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(httpx.URL(url)) == expected


async def test_a_request_for_another_machine_is_sent_to_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server, httpx.AsyncClient(transport=Pool(1), trust_env=False) as client:
        assert (await client.get("http://shop.example/orders")).text == "ok"
    assert asked == [b"GET http://shop.example/orders HTTP/1.1\r\n"]


def test_an_authority_of_ones_own_is_trusted_instead_of_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = tmp_path / "one.pem"
    text = Path(certifi.where()).read_text()
    one.write_text(text[: text.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(one))
    seen: list[ssl.SSLContext] = []
    monkeypatch.setattr(pool._Connection, "__init__", lambda self, trusted: seen.append(trusted))
    Pool(1)
    assert seen[0].cert_store_stats()["x509_ca"] == 1
