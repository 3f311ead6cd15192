"""Does a process serve yet? Each probe asks once and answers at once. Touches loopback HTTP and the broker."""

import httpx

from ops.local.kafka import answers
from ops.supervisor import Ready
from schemas import product
from schemas.kafka import Brokers

ASK_SECONDS = 0.5


def http_ok(url: str) -> Ready:
    """Whether a GET is answered with 2xx."""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=ASK_SECONDS, headers=product.HEADERS).is_success
        except httpx.TransportError:
            return False

    return ask


def kafka_answers(bootstrap: Brokers) -> Ready:
    """Whether a broker answers."""
    return lambda: answers(bootstrap, timeout_seconds=ASK_SECONDS)
