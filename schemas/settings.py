"""What every process reads from its environment, `RETURNFLOW_…`; a command line may override each value."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Bootstrap = Annotated[str, StringConstraints(pattern=r"^[^:,\s]+:\d{1,5}(,[^:,\s]+:\d{1,5})*$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
LedgerUrl = Annotated[str, StringConstraints(pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).+$")]


class ProcessSettings(BaseSettings):
    """Shared by gateway, sources, agents and sinks."""

    model_config = SettingsConfigDict(env_prefix="RETURNFLOW_", extra="ignore")

    kafka_bootstrap: Bootstrap = "127.0.0.1:9092"
    registry_url: HttpUrl | None = None  # None: schema ids from the files
    ledger_url: LedgerUrl = "sqlite:///var/ledger.db"
    merchants: Path = Path("merchants")
    data_dir: Path = Path("var")  # RocksDB tables, one directory per worker
    metrics_port: int = Field(default=0, ge=0, le=65535)  # of /metrics, /health and /ready; 0: none
    metrics_host: str = "127.0.0.1"  # the address they listen on
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    session_timeout_seconds: float = Field(default=30.0, gt=0)
