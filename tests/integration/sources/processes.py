"""Starts `returnflow` processes for these tests, and speaks to the gateway as its senders do."""

import base64
import hashlib
import hmac
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from confluent_kafka import KafkaException
from standardwebhooks.webhooks import Webhook

from ops.kafka import Seen, admin, read
from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from ops.topics import apply
from schemas.catalogue import Record
from schemas.codec import Codec, Undecodable
from schemas.facts import Delivery
from tests import processes
from tests.processes import Process

MERCHANT = "shop-g"
TOKEN = "token-that-nobody-guesses"
SECRETS = {
    "G_TOKEN": TOKEN,
    "G_NEW": "new-shopify-secret",
    "G_OLD": "old-shopify-secret",
    "G_ACCESS": "shpat_demo",
    "G_KEY": "rg-key-demo",
    "G_KEY_POOR": "rg-key-poor",  # the quota is the key's
    "G_KEY_QUIET": "rg-key-quiet",
    "G_WAREHOUSE": "whsec_" + base64.b64encode(b"warehouse-secret-1").decode(),
    "G_WAREHOUSE_OLD": base64.b64encode(b"warehouse-secret-0").decode(),
    "G_CARRIER": base64.b64encode(b"carrier-secret").decode(),
}
_TOML = """
merchant = "{name}"
time_zone = "UTC"
currency = "ZAR"

[systems.returngo]
base_url = "{base_url}/returngo"
shop = "{shop}"
api_key = "env:{key}"
webhook_token = "env:G_TOKEN"
poll_seconds = {poll_seconds}
overlap_seconds = 5
coalesce_seconds = 0.2
daily_calls = {daily_calls}
money_reserve = {reserve}
{webhooks}

[systems.shopify]
base_url = "{base_url}/shopify/{shop}"
shop = "{shop}"
access_token = "env:G_ACCESS"
webhook_secrets = ["env:G_NEW", "env:G_OLD"]
gift_card_secret = "env:G_NEW"
poll_seconds = {poll_seconds}
overlap_seconds = 5
coalesce_seconds = 0.2
{webhooks}

[systems.warehouse]
webhook_secrets = ["env:G_WAREHOUSE", "env:G_WAREHOUSE_OLD"]

[systems.carrier]
webhook_secrets = ["env:G_CARRIER"]
"""


def write_merchant(
    folder: Path, name: str, *, base_url: str, shop: str = "demo.myshopify.com", gateway: str = "",
    key: str = "G_KEY", daily_calls: int = 100_000, reserve: int = 0, poll_seconds: int = 1,
) -> None:  # fmt: skip
    """A merchant file; with `gateway` the sources subscribe to webhooks."""
    webhooks = f'webhook_url = "{gateway}"' if gateway else ""
    text = _TOML.format(
        name=name, base_url=base_url, shop=shop, webhooks=webhooks, key=key, daily_calls=daily_calls, reserve=reserve,
        poll_seconds=poll_seconds,
    )  # fmt: skip
    (folder / f"{name}.toml").write_text(text)


@contextmanager
def own_kafka() -> Iterator[LocalKafka]:
    """A broker with the topics of the catalogue. Processes of one system share a group, so tests that start some of
    their own need one that has none."""
    with LocalKafka.start() as kafka:
        apply(admin(kafka.bootstrap), replication=1)
        yield kafka


def environment(bootstrap: str, merchants: Path, **more: str) -> dict[str, str]:
    """What a process of ours reads from its environment."""
    own = {"RETURNFLOW_KAFKA_BOOTSTRAP": bootstrap, "RETURNFLOW_MERCHANTS": str(merchants)}
    return {**os.environ, **SECRETS, **own, **more}


def start(arguments: list[str], env: dict[str, str]) -> Process:
    """A `returnflow` process; what it prints goes where the test's output goes."""
    return processes.start("ops.cli", arguments, env)


def stop(*running: "Process | subprocess.Popen[bytes]") -> list[int]:
    """SIGTERM to all at once, and their exit statuses."""
    for each in running:
        each.send_signal(signal.SIGTERM)
    try:
        return [each.wait(60) for each in running]
    finally:
        for each in running:
            each.kill()


def until(what: Callable[[], Any], within_seconds: float = 60.0) -> Any:
    """The first truthy answer; fails when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {within_seconds} s for {what}"
        time.sleep(0.1)


def records(bootstrap: str, topic: str) -> list[Record]:
    """Everything that lies in a topic, but for the bytes a test has put there to be refused."""
    codec, found = Codec(), []
    for seen in raw_records(bootstrap, topic):
        with suppress(Undecodable):
            found.append(codec.decode(seen.value))
    return found


def raw_records(bootstrap: str, topic: str) -> list[Seen]:
    """The same, not decoded; a broker that was just frozen needs a moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return list(read(bootstrap, topic))
        except KafkaException:
            assert time.monotonic() < deadline
            time.sleep(0.2)


class Gateway:
    """The gateway's address, and senders that sign as the real ones do."""

    def __init__(self, bootstrap: str, url: str, endpoints: str) -> None:
        self.bootstrap = bootstrap
        self.url = url
        self.endpoints = endpoints
        self.http = httpx.Client(base_url=url, timeout=15)

    def shopify(
        self, body: bytes, *, secret: str = SECRETS["G_NEW"], merchant: str = MERCHANT, **headers: str
    ) -> httpx.Response:
        """As Shopify sends it; keyword headers come on top."""
        signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
        usual = {"X-Shopify-Topic": "orders/updated", "X-Shopify-Hmac-Sha256": signature}
        return self.http.post(f"/shopify/{merchant}", content=body, headers={**usual, **headers})

    def signed(self, path: str, body: bytes, secret: str, name: str, at: datetime | None = None) -> httpx.Response:
        """As a sender of Standard Webhooks."""
        at = at or datetime.now(UTC)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, at, body.decode()),
        }
        return self.http.post(path, content=body, headers=headers)

    def kept(self, system: str, marker: str) -> list[Delivery]:
        """Deliveries whose body holds the marker."""
        found = records(self.bootstrap, f"{system}-deliveries")
        return [each for each in found if isinstance(each, Delivery) and marker.encode() in each.body]


@contextmanager
def gateway_process(bootstrap: str, merchants: Path) -> Iterator[Gateway]:
    """A gateway on a free port."""
    port, own = free_port(), free_port()
    process = start(["gateway", "--port", str(port), "--metrics-port", str(own)], environment(bootstrap, merchants))
    gateway = Gateway(bootstrap, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}")
    try:
        until(lambda: _answers(gateway, process))
        yield gateway
    finally:
        gateway.http.close()
        statuses = stop(process)
    assert statuses == [0]


def _answers(gateway: Gateway, process: Process) -> bool:
    assert process.poll() is None, f"the gateway ended with status {process.returncode}"
    try:
        return gateway.http.get(f"{gateway.endpoints}/ready").status_code == 200
    except httpx.TransportError:
        return False


def json(value: object) -> bytes:
    """A JSON body."""
    return orjson.dumps(value)
