"""What a process says of itself. Each probe asks once and answers at once, past any proxy. Touches loopback HTTP and
the broker."""

import http.client
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

from ops.fitness import Ask, Heard
from ops.local.kafka import answers
from schemas import product
from schemas.endpoints import RUN_HEADER
from schemas.kafka import Brokers

ASK_SECONDS = 6.0  # readiness asks Kafka and the ledger in its turn, and each may take two
KAFKA_SECONDS = 5.0
SHOWN = 300  # characters of an answer


def endpoints(url: str, run: str = "") -> Ask:
    """Asks /ready of a process and, where that is no, /health. `run`: whose process it must be, see `http_ok`."""

    def ask() -> Heard:
        serves = _wrong(f"{url}/ready", run)
        return Heard(serves=serves, lives=serves and _wrong(f"{url}/health", run))

    return ask


def kafka(bootstrap: Brokers, cluster_id: str | None = None) -> Ask:
    """Whether a broker answers, and of that cluster where one is named: one that does not for long does not live."""

    def ask() -> Heard:
        if answers(bootstrap, KAFKA_SECONDS, cluster_id):
            return Heard()
        wrong = f"does not answer within {KAFKA_SECONDS:g} s"
        return Heard(serves=wrong, lives=wrong)

    return ask


def http_ok(url: str, run: str = "") -> Callable[[], bool]:
    """Whether a GET is answered with 2xx, and by that run of ours where one is named: another program is not it."""
    return lambda: _wrong(url, run) is None


def _wrong(url: str, run: str) -> str | None:
    """What a GET says is wrong; None: it is answered with 2xx."""
    place = urlsplit(url)
    with closing(http.client.HTTPConnection(place.netloc, timeout=ASK_SECONDS)) as connection:
        try:
            connection.request("GET", place.path, headers=product.HEADERS)
            answer = connection.getresponse()
            said = answer.read(SHOWN).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})"
    if run and answer.headers.get(RUN_HEADER) != run:
        return f"another program answers at {place.netloc}"
    return None if 200 <= answer.status < 300 else ", ".join(said.split("\n")).strip(", ")
