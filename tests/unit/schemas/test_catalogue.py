"""The contract in numbers and names: schema ids, topics, Avro files."""

import hashlib
import json
import re
import typing
from pathlib import Path

import msgspec
import pytest

from schemas import __main__ as files
from schemas import topics
from schemas.catalogue import SCHEMA_IDS, Record, avro_file
from schemas.derive import avro
from schemas.exception_types import TYPES, Action, Team

# Records on Kafka carry these numbers, each of which stands for one schema, here by its digest. A line may be replaced
# by one with a number that was never used; no number may ever stand for another schema.
IDS_FOR_EVER = {
    "Delivery": (7340010, "ed8c4a997307"),
    "ReturnEvent": (7340024, "6237647e7cc2"),
    "OrderSnapshot": (7340036, "417e993e4368"),
    "ObservedEffect": (7340045, "c51062021b3e"),
    "DeadlineReached": (7340050, "4bcbab5ecc9a"),
    "StockItem": (7340063, "bb7293d89acf"),
    "StockLevel": (7340071, "33b9ca01e225"),
    "RestockIntent": (7340083, "a1f6a029ee17"),
    "RestockVerdict": (7340090, "e8ec8521a679"),
    "Restock": (7340101, "9282e0207995"),
    "Refund": (7340112, "b01c64174dfd"),
    "StoreCredit": (7340121, "1fd12fe1d4c9"),
    "Exchange": (7340131, "8e84d88d39fd"),
    "Annotate": (7340140, "f2f9a035509a"),
    "Journal": (7340151, "89ea7299f54e"),
    "CommandResult": (7340163, "be578fa52371"),
    "ExceptionRaised": (7340171, "c0094e611f87"),
    "ExceptionCleared": (7340181, "88bcd378a258"),
    "CaseStep": (7340193, "76f7a0f56e59"),
    "ExpectedReturn": (7340200, "3597f8fc4ad9"),
    "ConfigurationChanged": (7340210, "532f5a83ad77"),
    "OrderErased": (7_340_220, "cd6cb5dfb136"),
}


def _digest(record: type[msgspec.Struct]) -> str:
    return hashlib.blake2b(json.dumps(avro(record)).encode(), digest_size=6).hexdigest()


@pytest.mark.req("OPS-1")
def test_schema_ids_never_change() -> None:
    assert {record.__name__: (number, _digest(record)) for record, number in SCHEMA_IDS.items()} == IDS_FOR_EVER
    assert len(set(SCHEMA_IDS.values())) == len(SCHEMA_IDS)


def test_every_record_of_the_union_has_an_id_and_the_other_way_round() -> None:
    assert set(typing.get_args(Record)) == set(SCHEMA_IDS)


@pytest.mark.req("OPS-1")
def test_avro_files_are_what_the_record_types_say_and_none_is_left_over() -> None:
    assert files.differences() == []
    for record in SCHEMA_IDS:
        assert avro_file(record) == avro(record)


def test_a_changed_missing_or_orphaned_avro_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert files.main(["write"], tmp_path) == 0
    assert files.main(["check"], tmp_path) == 0
    (tmp_path / "Refund.avsc").write_text("{}")
    (tmp_path / "Restock.avsc").unlink()
    (tmp_path / "Invoice.avsc").write_text("{}")
    assert files.main(["check"], tmp_path) == 1
    said = capsys.readouterr().err
    assert "Refund.avsc: is not what the record type says" in said
    assert "Restock.avsc: is not what the record type says" in said
    assert "Invoice.avsc: belongs to no record" in said
    assert files.main([]) == 2


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("topic", topics.CATALOGUE.values(), ids=lambda topic: topic.name)
def test_topic_is_legal_owned_and_kept_on_purpose(topic: topics.Topic) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", topic.name)
    assert len(topic.name) <= 249
    assert topic.owner in typing.get_args(Team)
    assert topic.producers
    assert topic.consumers
    assert topic.retention_ms > 0 or topic.cleanup == "compact"
    assert (topic.compatibility == "NONE") == (not topic.records)


def test_deliveries_may_hold_personal_data_and_are_short_lived() -> None:
    for system in topics.SYSTEMS:
        assert topics.CATALOGUE[topics.deliveries(system)].retention_ms == 14 * topics.DAY_MS


def test_topics_that_one_agent_reads_are_co_partitioned() -> None:
    for agent, sources in (("cases", topics.CASES_SOURCES), ("stock", topics.STOCK_SOURCES)):
        names = (*sources, topics.changelog(agent))
        assert len({topics.CATALOGUE[name].partitions for name in names}) == 1
    for name in topics.CASES_SOURCES:
        assert topics.CATALOGUE[name].key == "order"
        assert topics.CATALOGUE[name].consumers[0] == "agent cases"
    for name in topics.STOCK_SOURCES:
        assert topics.CATALOGUE[name].key == "item"
        assert topics.CATALOGUE[name].consumers[0] == "agent stock"


def test_every_record_has_a_topic_and_every_topic_of_records_an_id() -> None:
    carried = {record for topic in topics.CATALOGUE.values() for record in topic.records}
    assert carried == set(SCHEMA_IDS)


def test_subjects_are_one_per_topic_and_record() -> None:
    subjects = [topic.subject(record) for topic in topics.CATALOGUE.values() for record in topic.records]
    assert len(set(subjects)) == len(subjects)
    assert topics.CATALOGUE["case-journal"].subject(topics.CATALOGUE["case-journal"].records[0]) == (
        "case-journal-returnflow.CaseStep"
    )


@pytest.mark.req("EXC-2")
@pytest.mark.parametrize("name", TYPES)
def test_exception_type_has_an_owner_a_limit_and_a_way_out(name: str) -> None:
    each = TYPES[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert each.owner in typing.get_args(Team)
    assert each.hours > 0
    assert each.meaning.endswith(".")
    assert each.next_step.endswith(".")
    assert set(each.actions) <= set(typing.get_args(Action))
    assert "resolve" not in each.actions  # the record says whether a person may close it
