"""Schema ids from a real registry: learnt at start, unknown ones looked up, its absence told in words."""

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from ops.cli import main
from ops.demo.records import gather
from schemas.catalogue import SCHEMA_IDS, avro_file
from schemas.codec import Codec, Undecodable
from schemas.commands import CommandResult
from schemas.registry import codec_from
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from schemas.topics import COMMAND_RESULTS
from tests.unit.ops_cli.samples import problem


def schema_id(value: bytes) -> int:
    found: int = struct.unpack(">bI", value[:5])[1]
    return found


@pytest.mark.req("OPS-1")
def test_records_written_with_registered_ids_are_read_by_all(registry: str, broker: str, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"expected the current schema of .* Run `returnflow topics apply"):
        codec_from(registry)
    applied = CliRunner().invoke(main, ["topics", "apply", "--json", "--kafka", broker, "--registry", registry])
    assert applied.exit_code == 0, applied.output
    schemas = json.loads(applied.stdout)["schemas"]
    assert {each["record"] for each in schemas} == {record.__name__ for record in SCHEMA_IDS}
    assert {each["own_id"] for each in schemas} == set(SCHEMA_IDS.values())

    codec, record = codec_from(registry), problem("e")
    value = codec.encode(record)
    registered = {each["record"]: each["schema_id"] for each in schemas}
    assert schema_id(value) == registered["ExceptionRaised"]
    assert codec.decode(value) == record
    assert codec.decode(Codec().encode(record)) == record  # ids of the files are always understood
    again = json.loads(
        CliRunner().invoke(main, ["topics", "apply", "--json", "--kafka", broker, "--registry", registry]).stdout
    )
    assert again["schemas"] == schemas

    written_by_a_newer_version(registry, codec)
    foreign_schemas_are_refused(registry, codec)
    breaking_changes_are_refused(registry)
    the_demo_reads_what_was_written_before_and_after(broker, codec, tmp_path)


def the_demo_reads_what_was_written_before_and_after(broker: str, codec: Codec, folder: Path) -> None:
    result = CommandResult(
        command_id="c1", merchant="on-a-registry", system="shopify", order_id="1", rma_id="R", unit_ids=("u",),
        kind="restock", outcome="applied", settled_at_ms=1, attempts=1,
    )  # fmt: skip
    producer = Producer({"bootstrap.servers": broker})
    for each in (Codec(), codec):
        producer.produce(COMMAND_RESULTS, key=b"on-a-registry|1", value=each.encode(result))
    assert producer.flush(30) == 0
    settings = ProcessSettings(kafka_bootstrap=broker, ledger_url=f"sqlite:///{folder}/ledger.db")
    stage: Any = SimpleNamespace(settings=settings, codec=codec, merchants=("on-a-registry",))
    assert gather(stage).results == {"c1": [result, result]}


def written_by_a_newer_version(registry: str, codec: Codec) -> None:
    """A field that this version does not know: the writer's schema is fetched by its id and resolved."""
    schema = avro_file(type(problem("e")))
    newer = {**schema, "fields": [*schema["fields"], {"name": "mood", "type": "string", "default": ""}]}
    new_id = register(registry, "exceptions-returnflow.ExceptionRaised", newer)
    old = codec.encode(problem("e"))
    value = struct.pack(">bI", 0, new_id) + old[5:] + b"\x08glum"
    assert codec.decode(value) == problem("e")
    assert codec.decode(value) == problem("e")  # from memory now


def foreign_schemas_are_refused(registry: str, codec: Codec) -> None:
    foreign = {"type": "record", "name": "Invoice", "namespace": "elsewhere", "fields": []}
    foreign_id = register(registry, "invoices", foreign)
    with pytest.raises(Undecodable, match=f"schema id {foreign_id} is not one of ours"):
        codec.decode(struct.pack(">bI", 0, foreign_id))
    with pytest.raises(Undecodable, match="schema id 99999999 is not one of ours"):
        codec.decode(struct.pack(">bI", 0, 99_999_999))


def register(registry: str, subject: str, schema: object) -> int:
    answer = httpx.post(f"{registry}/subjects/{subject}/versions", json={"schema": json.dumps(schema)})
    assert answer.is_success, answer.text
    found: int = answer.json()["id"]
    return found


def breaking_changes_are_refused(registry: str) -> None:
    schema = avro_file(type(problem("e")))
    broken = {**schema, "fields": [*schema["fields"], {"name": "mood", "type": "string"}]}
    address = f"{registry}/subjects/exceptions-returnflow.ExceptionRaised/versions"
    assert httpx.post(address, json={"schema": json.dumps(broken)}).status_code == 409
