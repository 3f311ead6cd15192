"""What a sandbox process can be told at its start. Everything else comes through the control door."""

from datetime import datetime

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`start` None means now; `speed` is sandbox seconds per real second; `seed` makes faults with a probability
    repeatable."""

    start: datetime | None = None
    speed: float = 1.0
    latency_seconds: float = 0.0
    hang_seconds: float = 30.0
    webhook_timeout_seconds: float = 5.0
    seed: int = 7
    run: str = ""  # whose sandbox it is; every answer of the control door says it
