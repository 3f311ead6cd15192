"""What every process reads from its environment, `RETURNFLOW_…`; a command line may override each value."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.kafka import Cluster, Mechanism, Protocol, wrong

Bootstrap = Annotated[str, StringConstraints(pattern=r"^[^:,\s]+:\d{1,5}(,[^:,\s]+:\d{1,5})*$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
Reference = Annotated[str, StringConstraints(pattern=r"^(env|file):\S+$")]
LedgerUrl = Annotated[str, StringConstraints(pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).+$")]


def ledger_in(data_dir: Path) -> str:
    """The ledger of a data directory: what is moved with it where no other is named."""
    return f"sqlite:///{data_dir / 'ledger.db'}"


class ProcessSettings(BaseSettings):
    """Shared by gateway, sources, agents and sinks."""

    model_config = SettingsConfigDict(env_prefix="RETURNFLOW_", extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap: Bootstrap = "127.0.0.1:9092"
    kafka_security_protocol: Protocol = "plaintext"
    kafka_sasl_mechanism: Mechanism | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: Reference | None = None
    kafka_oauth_token_url: str | None = None
    kafka_oauth_scope: str | None = None
    kafka_ca_file: Path | None = None
    kafka_certificate_file: Path | None = None
    kafka_key_file: Path | None = None
    kafka_key_password: Reference | None = None
    registry_url: HttpUrl | None = None  # None: schema ids from the files
    merchants: Path = Path("merchants")
    data_dir: Path = Path("var")  # RocksDB tables: each agent that is given the same takes one of its own in it
    ledger_url: LedgerUrl = Field(default_factory=lambda known: ledger_in(known.get("data_dir", Path())))
    instance: int = Field(default=1, ge=1)  # of several processes that share the work; its log lines name it
    metrics_port: int = Field(default=0, ge=0, le=65535)  # of /metrics, /health and /ready; 0: none
    metrics_host: str = "127.0.0.1"  # the address they listen on
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_file: Path | None = None  # what standard error goes to, when this process is to turn it over; `up` sets it
    log_file_megabytes: int = Field(default=10, ge=1)  # a file that is larger is turned over, and three are kept
    session_timeout_seconds: float = Field(default=30.0, gt=0)

    @property
    def kafka(self) -> Cluster:
        """The cluster, as every client of it wants to be told."""
        return Cluster(
            bootstrap=self.kafka_bootstrap, protocol=self.kafka_security_protocol, mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username, password=self.kafka_sasl_password, ca_file=_text(self.kafka_ca_file),
            certificate_file=_text(self.kafka_certificate_file), key_file=_text(self.kafka_key_file),
            key_password=self.kafka_key_password, token_url=self.kafka_oauth_token_url, scope=self.kafka_oauth_scope,
        )  # fmt: skip

    @model_validator(mode="after")
    def _together(self) -> Self:
        if found := wrong(self.kafka):
            raise ValueError(found)
        return self


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
