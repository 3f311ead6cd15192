"""Whoever is asked by us can tell by whom."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas import product

ROOT = Path(__file__).parents[3]
# The sandbox plays others; the bench measures and is no part of what runs.
OTHERS = ("ops/sandbox/", "ops/bench/")
# Asks our own processes every second, for which a client with certificates and pools is much; it says who it is.
PROBES = "ops/probes.py"
ASKING = {f"httpx.{name}" for name in ("Client", "AsyncClient", "get", "post", "put", "patch", "delete", "request")}


def asking() -> Iterator[tuple[str, ast.Call]]:
    """Every place where one of our processes makes an HTTP client or asks without one."""
    for folder in ("schemas", "streams", "sinks", "ops"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(OTHERS):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ASKING:
                    yield f"{name}:{node.lineno}", node


def test_the_name_has_a_version() -> None:
    assert re.fullmatch(r"returnflow/\d[\w.+-]*", product.HEADERS["User-Agent"])
    assert httpx.Headers(product.HEADERS)["user-agent"] == f"returnflow/{product.version()}"


def test_every_client_of_ours_says_who_it_is() -> None:
    found = dict(asking())
    assert len(found) >= 6
    for place, call in found.items():
        headers = next((keyword.value for keyword in call.keywords if keyword.arg == "headers"), None)
        said = ast.unparse(headers) if headers is not None else ""
        assert "product.HEADERS" in said or said == "headers", place


@pytest.mark.parametrize("word", ["import urllib.request", "import requests", "import aiohttp", "http.client"])
def test_nothing_asks_in_another_way(word: str) -> None:
    for folder in ("schemas", "streams", "sinks", "ops"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(OTHERS) and (word, name) != ("http.client", PROBES):
                assert word not in path.read_text(encoding="utf-8"), path


def test_probes_say_who_they_are() -> None:
    assert "headers=product.HEADERS" in (ROOT / PROBES).read_text(encoding="utf-8")
