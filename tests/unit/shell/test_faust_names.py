"""The private names of Faust that the shell rests on. A new Faust needs the fault tests and benches again."""

import importlib.metadata

import aiokafka
import faust
import pytest
from faust.stores.memory import Store as MemoryStore
from faust.stores.rocksdb import Store as RocksDBStore
from faust.tables.base import Collection
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types.tuples import ConsumerMessage

OVERRIDDEN: list[tuple[type, str]] = [
    (Consumer, "getmany"),
    (Consumer, "perform_seek"),
    (Consumer, "on_partitions_revoked"),
    (Consumer, "_new_offset"),
    (Consumer, "_filter_tps_with_pending_acks"),
    (Consumer, "_add_gap"),
    (Consumer, "_commit"),
    (Transport, "Consumer"),
    (faust.Schema, "loads_key"),
    (faust.Schema, "loads_value"),
    (faust.Table, "_new_store"),
    (faust.Table, "info"),
    (MemoryStore, "apply_changelog_batch"),
    (MemoryStore, "persisted_offset"),
    (MemoryStore, "on_rebalance"),
    (MemoryStore, "on_recovery_completed"),
    (RocksDBStore, "apply_changelog_batch"),
    (RocksDBStore, "_open_for_partition"),
]
CALLED: list[tuple[type, str]] = [
    (Consumer, "_wait_next_records"),
    (Consumer, "seek_wait"),
    (Consumer, "stop_flow"),
    (RocksDBStore, "_db_for_partition"),
    (RocksDBStore, "partition_path"),
    (RocksDBStore, "offset_key"),
    (faust.Table, "on_recover"),
    (faust.Table, "changelog_topic_name"),
]


@pytest.mark.parametrize(("owner", "name"), OVERRIDDEN + CALLED)
def test_the_name_exists(owner: type, name: str) -> None:
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone: the shell's override would have no effect"


@pytest.mark.parametrize(
    "name", ["_committed_offset", "_read_offset", "_acked", "_acked_index", "_buffered_partitions"]
)
def test_the_consumer_keeps_these_books(name: str) -> None:
    assert name in BaseConsumer.__init__.__code__.co_names


def test_the_table_keeps_its_store_url() -> None:
    assert "_store" in Collection.__init__.__code__.co_names


def test_a_message_takes_the_attributes_that_a_batch_sets() -> None:
    slots = {name for each in ConsumerMessage.__mro__ for name in getattr(each, "__slots__", ())}
    assert {"topic", "partition", "offset", "value", "tp", "generation_id"} <= slots


def test_the_versions_are_the_proven_ones() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"
    assert aiokafka.__version__ == "0.14.0"
    assert importlib.metadata.version("rocksdict") == "0.3.29"
