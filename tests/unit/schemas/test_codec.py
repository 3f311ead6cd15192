"""Records survive the wire; bytes that are none of ours are told apart, never misread."""

import io
import struct

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import SCHEMA_IDS, Record, avro_file
from schemas.codec import Codec, Undecodable, parse
from schemas.journal import ExpectedReturn
from schemas.stock import RestockVerdict, StockLevel
from tests.unit.schemas.records import any_record

CODEC = Codec()
LEVEL = StockLevel(
    fact_id="f-1", merchant="m", sku="TEE-M", system="shopify", item_id="7", location_id="1", observed_at_ms=1,
    available=3,
)  # fmt: skip


@pytest.mark.req("OPS-1")
@given(any_record())
def test_every_record_comes_back_as_it_went(record: Record) -> None:
    assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.req("OPS-1")
def test_the_wire_format_is_confluents() -> None:
    value = CODEC.encode(LEVEL)
    assert value[:5] == struct.pack(">bI", 0, 7_340_071)
    body = fastavro.schemaless_reader(io.BytesIO(value[5:]), parse(avro_file(StockLevel)), None)
    assert isinstance(body, dict)
    assert body["sku"] == "TEE-M"


@given(any_record())
def test_fields_with_a_default_may_be_missing_in_old_bytes(record: Record) -> None:
    """What makes a new field safe: a writer that does not know it, read by the present code."""
    kind = type(record)
    schema = avro_file(kind)
    required = [field for field in schema["fields"] if "default" not in field]
    old = parse({**schema, "fields": required})
    out = io.BytesIO()
    fastavro.schemaless_writer(out, old, msgspec.to_builtins(record, builtin_types=(bytes,)))
    codec = Codec(lookup=lambda schema_id: (kind, old) if schema_id == 99 else None)
    decoded = codec.decode(struct.pack(">bI", 0, 99) + out.getvalue())
    assert decoded == kind(**{field["name"]: getattr(record, field["name"]) for field in required})


def test_each_kind_of_broken_bytes_is_undecodable_and_says_why() -> None:
    good = CODEC.encode(LEVEL)
    for value, why in (
        (None, "Confluent wire format"),
        (b"", "Confluent wire format"),
        (b"\x00\x00\x00", "Confluent wire format"),
        (b'{"sku": "TEE-M"}', "magic byte 0"),
        (b"\x00" + struct.pack(">I", 4_711) + good[5:], "schema id 4711 is not one of ours"),
        (good[:-1], "StockLevel"),
        (good + b"\x00", "1 bytes are left over"),
    ):
        with pytest.raises(Undecodable, match=why):
            CODEC.decode(value)


def test_a_value_outside_a_closed_set_is_undecodable_and_names_the_field() -> None:
    verdict = RestockVerdict(
        fact_id="f", merchant="m", order_id="1", rma_id="2", intent_id="i", unit_ids=(), sku="S", verdict="waiting",
        decided_at_ms=1,
    )  # fmt: skip
    value = CODEC.encode(verdict).replace(b"waiting", b"maybe??")
    with pytest.raises(Undecodable, match="verdict"):
        CODEC.decode(value)


def test_a_record_of_another_type_is_refused_where_one_type_is_expected() -> None:
    with pytest.raises(Undecodable, match="expected a ExpectedReturn, got a StockLevel"):
        CODEC.decode_as(ExpectedReturn, CODEC.encode(LEVEL))


@given(st.binary(max_size=60), st.sampled_from(sorted(SCHEMA_IDS.values())))
def test_random_bytes_never_do_more_than_fail_to_decode(body: bytes, schema_id: int) -> None:
    """Whatever comes, it is a record or Undecodable: no other error, no endless memory."""
    try:
        outcome: type = type(CODEC.decode(struct.pack(">bI", 0, schema_id) + body))
    except Undecodable as problem:
        outcome = type(problem)
    assert outcome in {Undecodable, *SCHEMA_IDS}


def test_a_value_that_does_not_fit_is_refused_when_it_is_written() -> None:
    wrong = msgspec.structs.replace(LEVEL, observed_at_ms=2**63)
    with pytest.raises(TypeError, match="StockLevel does not fit its Avro schema"):
        CODEC.encode(wrong)
