"""A schema may only change in ways that old and new code can live with."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas import topics
from schemas.catalogue import SCHEMA_IDS, avro_file
from schemas.compat import Rule, problems, unreadable

ROOT = Path(__file__).parents[3]


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "returnflow", "fields": list(fields)}


def enum(*symbols: str, **more: str) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


ID = field("id", "string")
INNER = record(field("x", "long"), name="Inner")


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        (record(ID, field("more", "long", default=0)), record(ID)),  # added with a default
        (record(ID), record(ID, field("gone", "string"))),  # removed: the reader passes over it
        (record(field("n", "long")), record(field("n", "int"))),
        (record(field("n", "double")), record(field("n", "long"))),
        (record(field("n", "bytes")), record(field("n", "string"))),
        (record(field("n", ["null", "string"])), record(field("n", "string"))),  # widened into a union
        (record(field("n", ["null", "long"])), record(field("n", ["null", "int"]))),
        (record(field("new", "string", aliases=["old"])), record(field("old", "string"))),
        (record(field("a", {"type": "array", "items": INNER}), field("b", "returnflow.Inner")),) * 2,
        (record(field("m", {"type": "map", "values": "long"})), record(field("m", {"type": "map", "values": "int"}))),
        (record(ID, name="New") | {"aliases": ["R"]}, record(ID)),
        (
            {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"},
            {"type": "enum", "name": "E", "symbols": ["B"]},
        ),
    ],
)
def test_these_changes_can_be_read(reader: Any, writer: Any) -> None:
    assert unreadable(reader=reader, writer=writer) == []


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(
    ("reader", "writer", "why"),
    [
        (record(ID, field("more", "long")), record(ID), "R.more: is not written and has no default"),
        (record(field("n", "int")), record(field("n", "long")), "R.n: expected int, got long"),
        (record(field("n", "string")), record(field("n", ["null", "string"])), "R.n: expected string, got null"),
        (
            record(field("n", ["null", "string"])),
            record(field("n", "long")),
            "R.n: expected one of null, string, got long",
        ),
        (
            record(field("n", {"type": "array", "items": "long"})),
            record(field("n", "long")),
            "R.n: expected array, got long",
        ),
        (record(ID, name="Other"), record(ID), "Other: expected record Other, got R"),
        (
            record(field("a", {"type": "array", "items": record(ID, field("y", "long"), name="Inner")})),
            record(field("a", {"type": "array", "items": record(ID, name="Inner")})),
            "R.a[].y: is not written and has no default",
        ),
        (
            record(field("t", {"type": "long", "logicalType": "timestamp-millis"})),
            record(field("t", "long")),
            "R.t: expected timestamp-millis, got none",
        ),
        (enum("A"), enum("A", "B"), "E: expected one of A, got B"),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 8},
            "F: expected fixed F of 4 bytes, got 8",
        ),
    ],
)
def test_these_changes_cannot_be_read_and_the_place_is_named(reader: Any, writer: Any, why: str) -> None:
    assert unreadable(reader=reader, writer=writer) == [why]


def test_a_recursive_type_is_compared_once() -> None:
    tree = record(field("children", {"type": "array", "items": "returnflow.R"}))
    assert unreadable(reader=tree, writer=tree) == []


def test_full_asks_both_ways_backward_only_one() -> None:
    old, new = record(ID, field("gone", "string")), record(ID)
    assert problems(new, old, "BACKWARD_TRANSITIVE") == []
    assert problems(new, old, "FULL_TRANSITIVE") == ["old cannot read new: R.gone: is not written and has no default"]
    assert problems(new, record(field("id", "long")), "NONE") == []


def released() -> dict[str, dict[str, Any]]:
    """Avro files of the last release (the newest tag of this history); before the first one, the present files."""
    tag = _git("describe", "--tags", "--abbrev=0")
    names = _git("ls-tree", "--name-only", f"{tag}:schemas/avro").split() if tag else []
    files = {name: _git("show", f"{tag}:schemas/avro/{name}") for name in names}
    return {Path(name).stem: json.loads(text) for name, text in files.items()} or {
        each.__name__: avro_file(each) for each in SCHEMA_IDS
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@pytest.mark.req("OPS-1")
def test_no_schema_broke_since_the_last_release() -> None:
    before = released()
    rules: dict[str, Rule] = {
        each.__name__: topic.compatibility for topic in topics.CATALOGUE.values() for each in topic.records
    }
    now = {each.__name__: avro_file(each) for each in SCHEMA_IDS}
    assert set(before) <= set(now), "a record that was released is gone"
    assert [(name, each) for name in before for each in problems(now[name], before[name], rules[name])] == []
