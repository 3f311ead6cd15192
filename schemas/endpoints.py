"""What every process answers on its own port: /metrics for Prometheus, /health (it runs), /ready (it serves).

The port is not for the network at large: it listens on 127.0.0.1 unless the settings name another address.
"""

import asyncio
import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from schemas.kafka import Brokers, cluster_of, librdkafka, started, tokens_of
from schemas.startup import CannotStart

ANSWER_WITHIN_SECONDS = 2.0
HANGS_AFTER_SECONDS = 30.0
# Which run of `returnflow up` a process belongs to, so that no other program on the port is taken for it.
RUN, RUN_HEADER = "RETURNFLOW_RUN", "X-Returnflow-Run"

# What is wrong, in words; None: nothing. Asked anew by every probe, from a thread of the endpoint.
Check = Callable[[], str | None]


def serve(
    host: str, port: int, *, ready: Sequence[Check] = (), alive: Sequence[Check] = (),
    registry: CollectorRegistry = REGISTRY,
) -> None:  # fmt: skip
    """Answers until the process ends, in threads of its own; nothing for port 0. It serves while no check of `ready`
    or `alive` finds anything. Raises CannotStart."""
    if not port:
        return
    try:
        server = make_server(host, port, _app([*alive, *ready], alive, registry), _Server, _Silent)
    except OSError as error:
        raise CannotStart(
            f"expected the metrics port {host}:{port} to be free, got: {error.strerror}. Choose another with "
            "--metrics-port, or an address of this machine with RETURNFLOW_METRICS_HOST."
        ) from error
    registry.register(Readiness([*alive, *ready]))
    threading.Thread(target=server.serve_forever, name="endpoints", daemon=True).start()


class Readiness(Collector):
    """What /ready would answer, as a figure for alerts."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []  # it need not be asked to be registered

    def collect(self) -> Iterator[GaugeMetricFamily]:
        serves = all(check() is None for check in self._checks)
        yield GaugeMetricFamily("returnflow_ready", "1 while /ready says that the process serves.", value=serves)


def kafka_answers(bootstrap: Brokers) -> Check:
    """Whether the cluster answers a client of its own, which is made when first asked, and for each token anew: the
    connection of an expired one is closed, and who is asked rarely would learn of it with the next question."""
    source = tokens_of(cluster_of(bootstrap))

    @functools.lru_cache(maxsize=1)
    def client(_: str | None) -> AdminClient:
        return started(AdminClient({**librdkafka(bootstrap), "log_level": 0}))

    def check() -> str | None:
        try:
            token = None if source is None else source.current()[0]
            client(token).list_topics(timeout=ANSWER_WITHIN_SECONDS)
        except ConnectionError as error:
            return str(error)
        except KafkaException as error:
            return f"Kafka at {bootstrap} does not answer: {error.args[0].str()}"
        return None

    return check


class Turning:
    """Whether a process's loop turns: one whose loop hangs runs, and does nothing."""

    def __init__(self, hangs_after_seconds: float = HANGS_AFTER_SECONDS) -> None:
        self._hangs_after_seconds = hangs_after_seconds
        self.turned()

    def turned(self) -> None:
        """The loop has come round."""
        self._turned_at = time.monotonic()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks every second, as long as an event loop turns."""
        self.turned()
        loop.call_later(1.0, self.watch, loop)

    def check(self) -> str | None:
        """A Check."""
        seconds = time.monotonic() - self._turned_at
        return None if seconds < self._hangs_after_seconds else f"the loop has not turned for {seconds:.0f} s"


class Joined:
    """Whether a member of a consumer group has what it works on; `waits_for` says in words what it still waits for."""

    def __init__(self, waits_for: str = "the consumer group has given no partitions yet") -> None:
        self.waits_for: str | None = waits_for

    def left(self) -> None:
        """Its partitions were taken; others, or the same, are given to it soon."""
        self.waits_for = "partitions are being given out anew"

    def complete(self) -> None:
        """It has its partitions, be they none, and what belongs to them."""
        self.waits_for = None

    def check(self) -> str | None:
        """A Check."""
        return self.waits_for


class Serving:
    """What a consumer process tells of itself: its event loop and its membership."""

    def __init__(self) -> None:
        self.turning, self.joined = Turning(), Joined()


def _app(
    ready: Sequence[Check], alive: Sequence[Check], registry: CollectorRegistry
) -> Callable[[Any, Any], Iterable[bytes]]:
    metrics = make_wsgi_app(registry)
    asked = {"/health": alive, "/ready": ready}

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            page: Iterable[bytes] = metrics(environ, start_response)
            return page
        if path not in asked:
            return _plain(start_response, "404 Not Found", ["/metrics, /health and /ready are here"])
        found = [wrong for check in asked[path] if (wrong := check()) is not None]
        return _plain(start_response, "503 Service Unavailable" if found else "200 OK", found or ["ok"])

    return answer


def _plain(start_response: Any, status: str, lines: Sequence[str]) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), (RUN_HEADER, os.environ.get(RUN, ""))])
    return [f"{line}\n".encode() for line in lines]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Silent(WSGIRequestHandler):
    timeout = 5  # of one connection: an idle one holds a thread no longer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is wsgiref's
        """A probe is nothing to log."""
