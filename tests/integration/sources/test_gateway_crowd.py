"""The gateway under people who hold connections: signed webhooks are taken all the same."""

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.sources.processes import MERCHANT, TOKEN, Gateway, json, until

IDLE, SLOW_HEADERS, SLOW_BODIES = 1_000, 500, 500
TRIES = 20


@pytest.mark.req("OPS-3", "OPS-10")
def test_signed_webhooks_are_taken_while_two_thousand_connections_are_held(gateway: Gateway, marker: str) -> None:
    """All of one address, and opened anew as they are ended; bounded by the tries of the honest sender."""
    took = []
    with _crowd(gateway):
        until(lambda: _held(gateway) >= 1_500)
        for number in range(TRIES):
            began = time.monotonic()
            assert gateway.shopify(json({"id": number, "transactionId": marker})).status_code == 202
            took.append(time.monotonic() - began)
    assert sorted(took)[TRIES // 2] < 1.0
    assert len(gateway.kept("shopify", marker)) == TRIES


def test_half_a_request_is_ended_and_counted(gateway: Gateway) -> None:
    before = _dropped(gateway, "slow")
    with socket.create_connection(_address(gateway)) as slow:
        slow.settimeout(20)
        slow.sendall(
            b"POST /shopify/" + MERCHANT.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"
        )
        assert _ends(slow)
    assert _dropped(gateway, "slow") > before


def test_a_wrong_token_is_refused_before_its_body_is_sent(gateway: Gateway) -> None:
    head = "POST /returngo/{}/{} HTTP/1.1\r\nHost: x\r\nContent-Length: 1900000\r\n\r\n"
    with socket.create_connection(_address(gateway)) as guess, socket.create_connection(_address(gateway)) as known:
        for each in (guess, known):
            each.settimeout(3)
        guess.sendall(head.format(MERCHANT, "guess").encode())
        known.sendall(head.format(MERCHANT, TOKEN).encode())
        assert guess.recv(100).startswith(b"HTTP/1.1 401")
        with pytest.raises(TimeoutError):  # its body is waited for
            known.recv(100)


def test_the_public_port_tells_nothing_of_the_process(gateway: Gateway) -> None:
    answers = [gateway.http.get(path).status_code for path in ("/metrics", "/health", "/ready")]
    own = [httpx.get(f"{gateway.endpoints}{path}").status_code for path in ("/metrics", "/health", "/ready")]
    assert (answers, own) == ([404, 404, 404], [200, 200, 200])


@contextmanager
def _crowd(gateway: Gateway) -> Iterator[None]:
    """Holds connections open from a thread, and opens those again that were ended."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    begun = b"POST /shopify/" + MERCHANT.encode() + b" HTTP/1.1\r\nHost: x\r\n"
    body = begun + b"Content-Length: 1900000\r\n\r\n" + b"x" * 20_000
    wanted = [b""] * IDLE + [begun] * SLOW_HEADERS + [body] * SLOW_BODIES
    done = threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            held = [stack.enter_context(_open(gateway, first)) for first in wanted]
            while not done.wait(0.2):
                for place, each in enumerate(held):
                    if done.is_set():
                        break
                    if _ended(each):
                        each.close()
                        held[place] = stack.enter_context(_open(gateway, wanted[place]))

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _open(gateway: Gateway, first: bytes) -> socket.socket:
    opened = socket.create_connection(_address(gateway), timeout=30)
    opened.setblocking(False)
    if first:
        with suppress(OSError):  # ended already: it is opened anew
            opened.send(first)
    return opened


def _ended(held: socket.socket) -> bool:
    try:
        return held.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _ends(held: socket.socket) -> bool:
    try:
        return held.recv(1000) == b""
    except ConnectionError:
        return True


def _address(gateway: Gateway) -> tuple[str, int]:
    host, port = gateway.url.removeprefix("http://").split(":")
    return host, int(port)


def _held(gateway: Gateway) -> float:
    return _sample(gateway, "returnflow_gateway_connections", {})


def _dropped(gateway: Gateway, reason: str) -> float:
    return _sample(gateway, "returnflow_gateway_connections_dropped_total", {"reason": reason})


def _sample(gateway: Gateway, name: str, labels: dict[str, str]) -> float:
    page = httpx.get(f"{gateway.endpoints}/metrics", timeout=30).text
    samples = [each for family in text_string_to_metric_families(page) for each in family.samples]
    return sum(each.value for each in samples if each.name == name and each.labels == labels)
