"""Header names that are no UTF-8, read by aiokafka's parsers."""

import re
from pathlib import Path

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from schemas import header_names
from tests.raw_records import batch, renamed

TOP = Path(__file__).parents[3]
NAMES = (b"plain", "größe".encode(), b"\xff\xfe\xc0\x80", b"", b"after")
SHOWN = ["plain", "größe", r"\xff\xfe\xc0\x80", "", "after"]


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("zipped", [False, True])
def test_every_record_of_a_batch_is_read_whatever_its_headers_are_called(*, zipped: bool) -> None:
    raw = batch(NAMES, zipped=zipped) * 2
    records = header_names.Records(raw)
    for _ in range(2):
        assert records.has_next()
        found = records.next_batch()
        assert (found.validate_crc(), found.next_offset, found.is_control_batch) == (True, len(NAMES), False)
        read = [(each.offset, each.key, each.value, each.headers) for each in found]
        assert read == [(i, b"k", b"value", [(name, b"v")]) for i, name in enumerate(SHOWN)]
    assert not records.has_next()


def test_what_is_broken_is_still_refused() -> None:
    raw = batch((b"plain",)).replace(b"value", b"valu\xff").replace(b"\x02\x0aplain", b"\x04\x0aplain")
    with pytest.raises(CorruptRecordException):
        list(header_names.Records(raw).next_batch())


def test_every_place_that_makes_an_aiokafka_consumer_or_a_faust_app_reads_so() -> None:
    makes = re.compile(r"AIOKafkaConsumer\(|faust\.SASLCredentials\(")
    found = {
        path.relative_to(TOP).as_posix(): "header_names.escaped()" in text
        for folder in ("schemas", "streams", "sinks", "ops") for path in (TOP / folder).rglob("*.py")
        if makes.search(text := path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert found == dict.fromkeys(
        ("streams/shell/credentials.py", "streams/sources/parts.py", "sinks/consume.py"), True
    )
    header_names.escaped()
    assert fetcher.MemoryRecords is header_names.Records


def test_the_helper_of_these_tests_changes_names_alone() -> None:
    assert renamed(batch((b"plain",)), {}) == batch((b"plain",))
