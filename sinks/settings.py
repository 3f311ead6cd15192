"""What a sink worker reads from its environment, `RETURNFLOW_SINK_…`, beside the settings of every process."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import CATALOGUE, COMMAND_SYSTEMS, DAY_MS, commands_of

# Kafka drops whole segments, which are a week long.
LEAST_RETENTION_DAYS = max(CATALOGUE[commands_of(each)].retention_ms for each in COMMAND_SYSTEMS) // DAY_MS + 10


class SinkSettings(BaseSettings):
    """Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="RETURNFLOW_SINK_", extra="ignore")

    buffered: int = Field(default=1024, ge=1)  # commands in memory, running or waiting behind their key
    connections: int = Field(default=256, ge=1)
    connect_seconds: float = Field(default=5.0, gt=0)
    request_seconds: float = Field(default=20.0, gt=0, le=270)
    patience_seconds: float = Field(default=10.0, ge=0)  # for quota, before a command steps aside
    claim_seconds: float = Field(default=30.0, gt=0, le=270)  # how long a dead worker's command waits for another
    first_wait_seconds: float = Field(default=0.5, gt=0)
    longest_wait_seconds: float = Field(default=300.0, gt=0)
    park_seconds: float = Field(default=20.0, ge=0)  # a command that waits longer leaves memory for the ledger
    give_up_seconds: float = Field(default=86_400.0, gt=0)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_open_seconds: float = Field(default=5.0, gt=0)
    breaker_longest_seconds: float = Field(default=60.0, gt=0)
    probe_seconds: float = Field(default=60.0, gt=0)  # how often a paused merchant's system is tried
    equal_rejections: int = Field(default=20, ge=2)  # in a row: more look like a fault of ours, so we pause
    tick_seconds: float = Field(default=1.0, gt=0)  # commits, redrives, metrics
    shutdown_seconds: float = Field(default=20.0, gt=0)
    # How long the ledger remembers what was done. A command that Kafka still has may come again (a replay, a group that
    # begins anew), and only the ledger knows that it was carried out: so never less than Kafka keeps commands, with
    # what a segment may outlive that. Whoever makes Kafka keep them longer must make this longer first.
    retention_days: int = Field(default=LEAST_RETENTION_DAYS + 20, ge=LEAST_RETENTION_DAYS)
