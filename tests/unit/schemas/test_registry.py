"""What only some registries do, or do when they are gone: played by a small HTTP peer on the loopback interface."""

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from schemas.catalogue import SCHEMA_IDS
from schemas.codec import Codec
from schemas.commands import Restock
from schemas.registry import codec_from, register_all
from schemas.startup import CannotStart


class Peer:
    """A registry's memory. `imports`: whether it takes the ids it is told; `failing`: whether it is out of order."""

    def __init__(self, *, imports: bool) -> None:
        self.imports, self.failing = imports, False
        self.calls: list[tuple[str, str]] = []
        self.schemas: dict[str, int] = {}  # text → id
        self.subjects: set[tuple[str, str]] = set()
        self.mode = "READWRITE"

    def versions(self, subject: str) -> list[int]:
        return [number for number, _ in enumerate((each for each in self.subjects if each[0] == subject), 1)]

    def moded(self, subject: str, body: dict[str, Any], *, forced: bool) -> tuple[int, Any]:
        if not self.imports:
            return 422, {"error_code": 42205, "message": "mode cannot be changed"}
        if body["mode"] == "IMPORT" and self.versions(subject) and not forced:
            return 422, {"error_code": 42205, "message": "the subject has versions"}
        self.mode = body["mode"]
        return 200, body

    def registered(self, subject: str, body: dict[str, Any]) -> tuple[int, Any]:
        if ("id" in body) != (self.mode == "IMPORT"):
            return 422, {"error_code": 42205, "message": "ids are only taken in mode IMPORT"}
        if "version" in body and body["version"] != len(self.versions(subject)) + 1:
            return 422, {"error_code": 42205, "message": "the version is taken"}
        self.subjects.add((subject, body["schema"]))
        schema_id = self.schemas.setdefault(body["schema"], body.get("id", len(self.schemas) + 1))
        return 200, {"id": schema_id}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append((method, path))
        if self.failing:
            return 503, {"error_code": 50003, "message": "not now"}
        path, _, query = path.partition("?")
        match path.strip("/").split("/"):
            case ["mode", subject]:
                return self.moded(subject, body, forced=query == "force=true")
            case ["subjects", subject, "versions"] if method == "GET":
                return (200, self.versions(subject)) if self.versions(subject) else (404, {"error_code": 40401})
            case ["config", _]:
                return 200, body
            case ["subjects", subject]:
                known = (subject, body["schema"]) in self.subjects
                return (200, {"id": self.schemas[body["schema"]]}) if known else (404, {"error_code": 40403})
            case ["subjects", subject, "versions"]:
                if ("id" in body) != (self.mode == "IMPORT"):
                    return 422, {"error_code": 42205, "message": "ids are only taken in mode IMPORT"}
                if "version" in body and body["version"] != len(self.versions(subject)) + 1:
                    return 422, {"error_code": 42205, "message": "the version is taken"}
                self.subjects.add((subject, body["schema"]))
                schema_id = self.schemas.setdefault(body["schema"], body.get("id", len(self.schemas) + 1))
                return 200, {"id": schema_id}
        return 404, {"error_code": 40401}


@contextmanager
def served(peer: Peer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, answer = peer.answer(self.command, self.path, json.loads(body) if body else {})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PUT = _handle  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.req("OPS-1")
def test_a_registry_that_imports_ids_gets_ours_so_the_bytes_are_the_same_with_and_without_it() -> None:
    peer = Peer(imports=True)
    with served(peer) as url:
        registered = register_all(url)
        codec = codec_from(url)
    assert all(each.schema_id == each.own_id for each in registered)
    assert {each.own_id for each in registered} == set(SCHEMA_IDS.values())
    assert peer.mode == "READWRITE"
    assert codec.encode(restock())[:5] == struct.pack(">bI", 0, SCHEMA_IDS[Restock])


@pytest.mark.req("OPS-1")
def test_a_registry_with_ids_of_its_own_is_used_with_them() -> None:
    with served(Peer(imports=False)) as url:
        registered = {each.record: each.schema_id for each in register_all(url)}
        codec = codec_from(url)
    assert registered["Restock"] != SCHEMA_IDS[Restock]
    value = codec.encode(restock())
    assert value[:5] == struct.pack(">bI", 0, registered["Restock"])
    assert codec.decode(value) == restock()


@pytest.mark.req("OPS-1")
def test_a_new_version_of_a_record_is_imported_behind_the_one_that_was_there() -> None:
    peer = Peer(imports=True)
    peer.subjects.add(("return-events-returnflow.ReturnEvent", "an earlier schema"))
    with served(peer) as url:
        registered = {each.subject: each for each in register_all(url)}
    ours = registered["return-events-returnflow.ReturnEvent"]
    assert ours.schema_id == ours.own_id
    assert peer.versions("return-events-returnflow.ReturnEvent") == [1, 2]


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("imports", [True, False])
def test_what_was_written_without_a_registry_is_read_with_one(imports: bool) -> None:
    before = Codec().encode(restock())
    peer = Peer(imports=imports)
    with served(peer) as url:
        ids = {each.own_id: each.schema_id for each in register_all(url)}
        codec = codec_from(url)
    assert codec.decode(before) == restock()
    assert codec.decode(codec.encode(restock())) == restock()
    own = SCHEMA_IDS[Restock]
    # whoever else reads the topic asks the registry for the id in the bytes
    assert (own in peer.schemas.values()) == imports == (ids[own] == own)


def test_registering_again_changes_nothing() -> None:
    peer = Peer(imports=True)
    with served(peer) as url:
        first = register_all(url)
        peer.calls.clear()
        assert register_all(url) == first
    assert not [path for method, path in peer.calls if path.endswith("/versions") or path.startswith("/mode")]


def test_a_process_does_not_start_on_a_registry_that_lacks_a_schema_or_fails() -> None:
    peer = Peer(imports=True)
    with served(peer) as url:
        with pytest.raises(CannotStart, match=r"found none\. Run `returnflow topics apply --registry"):
            codec_from(url)
        peer.failing = True
        with pytest.raises(CannotStart, match=r"expected a Confluent-compatible schema registry at .*503.*not now"):
            codec_from(url)
    with pytest.raises(CannotStart, match="RETURNFLOW_REGISTRY_URL"):
        codec_from(url)


def test_a_registry_that_is_gone_in_flight_ends_the_process_instead_of_losing_the_record() -> None:
    """A record with an id that cannot be looked up is not undecodable: it must be read again, later."""
    peer = Peer(imports=True)
    with served(peer) as url:
        register_all(url)
        codec = codec_from(url)
        peer.failing = True
        peer.calls.clear()
        with pytest.raises(SystemExit, match="schema id 4711: expected a Confluent-compatible schema registry"):
            codec.decode(struct.pack(">bI", 0, 4_711))
    assert peer.calls == [("GET", "/schemas/ids/4711")] * 3


@pytest.mark.req("OPS-10")
def test_a_password_in_the_address_is_not_repeated() -> None:
    with served(Peer(imports=True)) as url:
        address = url.replace("//", "//u:hunter2@")
        with pytest.raises(CannotStart) as lacking:
            codec_from(address)
    with pytest.raises(CannotStart) as gone:
        codec_from(address)
    assert "found none" in str(lacking.value)
    assert "hunter2" not in f"{lacking.value} {gone.value}"


def restock() -> Restock:
    return Restock(
        command_id="c", merchant="m", system="shopify", order_id="1", rma_id="R", unit_ids=("u",), generation=0,
        decided_at_ms=1, sku="S", item_id="7", location_id="1", quantity=1, stock_status="available",
    )  # fmt: skip
