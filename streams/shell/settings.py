"""Settings of one agent, with the reasons. Composition roots fill them; nothing here reads the environment."""

from pathlib import Path
from typing import Literal

import msgspec

from schemas.kafka import Brokers


class ShellSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`group` is the Faust app id, the consumer group and the first part of the changelog's name."""

    group: str
    table: str
    bootstrap: Brokers
    data_dir: Path  # of the first worker of a place; each further one takes one beside it
    store: Literal["rocksdb", "memory"] = "rocksdb"
    metrics_port: int = 0  # of /metrics, /health and /ready; 0: none
    metrics_host: str = "127.0.0.1"

    session_timeout_seconds: float = 30.0
    heartbeat_seconds: float = 5.0
    rebalance_timeout_seconds: float = 60.0  # time a worker has to drain; longer than delivering a full window
    commit_seconds: float = 1.0  # bounds what comes again after a kill
    standby_replicas: int = 0  # recovery reads > 100 000 rows/s; a standby costs CPU and disk twice

    batch_records: int = 500  # keeps one synchronous step under about 20 ms
    window_batches: int = 16  # batches waiting for delivery; back-pressure beyond it is what makes batches large
    linger_ms: int = 2
    max_bytes: int = 1_000_000  # of an output or a row; Kafka's own limit per record is 1 MiB

    unexpected_limit: int = 20  # so many unexpected failures in a row are a bad deploy, not bad records
    unsettled_limit_seconds: float = 120.0  # an older unsettled batch means that we are stuck
    deadline_repeat_seconds: float = 60.0  # a deadline whose record did not come back is produced again
    reviews_per_second: int = 100  # rows decided on anew when rules change: live work goes on beside them
    store_max_age_seconds: float = 43_200.0  # half of Kafka's delete.retention.ms: an older store may miss tombstones
    start_timeout_seconds: float = 10.0
    stop_seconds: float = 50.0  # for a clean stop; within what an orchestrator waits before it kills

    @property
    def changelog(self) -> str:
        """Faust's name for the changelog topic of the table."""
        return f"{self.group}-{self.table}-changelog"
