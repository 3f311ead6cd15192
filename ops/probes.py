"""Does a process serve yet? Each probe asks once and answers at once, past any proxy. Touches loopback HTTP and the
broker."""

import httpx

from ops.local.kafka import answers
from ops.supervisor import Ready
from schemas import product
from schemas.endpoints import RUN_HEADER
from schemas.kafka import Brokers

ASK_SECONDS = 0.5


def http_ok(url: str, run: str = "") -> Ready:
    """Whether a GET is answered with 2xx, and by that run of ours where one is named: another program is not it."""

    def ask() -> bool:
        try:
            answer = httpx.get(url, timeout=ASK_SECONDS, headers=product.HEADERS, trust_env=False)
        except (httpx.TransportError, httpx.DecodingError):
            return False
        return answer.is_success and (not run or answer.headers.get(RUN_HEADER) == run)

    return ask


def kafka_answers(bootstrap: Brokers, cluster_id: str | None = None) -> Ready:
    """Whether a broker answers, and of that cluster where one is named."""
    return lambda: answers(bootstrap, ASK_SECONDS, cluster_id)
