"""A probe takes no other program for ours."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops.probes import http_ok
from schemas.endpoints import RUN_HEADER


class _Anybody(BaseHTTPRequestHandler):
    """Says yes to everything, as file servers, other sandboxes and other pipelines do."""

    run = ""

    def do_GET(self) -> None:
        self.send_response(200)
        if self.run:
            self.send_header(RUN_HEADER, self.run)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
        """Nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Anybody)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("answers", "is_ours"), [("", False), ("of-another-run", False), ("this-run", True)])
def test_only_what_names_this_run_is_ready(
    port: int, answers: str, is_ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Anybody, "run", answers)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # as companies set it; nothing here is beyond it
    assert http_ok(f"http://127.0.0.1:{port}/ready", "this-run")() is is_ours
    assert http_ok(f"http://127.0.0.1:{port}/ready")()
