"""The whole pipeline on ports of its own, in a run directory of its own, with its stand-in shop open for the day.

Touches processes, the broker, the run directory and the sandbox.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from ops import data_directory
from ops.crew import Crew
from ops.data_directory import Running
from ops.demo import shop
from ops.demo.client import Sandbox, Warehouse
from ops.demo.merchants import at, domain_of, open_merchant
from ops.demo.neighbours import DIFFERENT, SHOPS
from ops.demo.runs import run_folder
from ops.demo.story import Body, Story, morning
from ops.local.jars import cache_directory
from ops.local.ports import free_port, is_free
from ops.sandbox_shop import SECRETS
from ops.supervisor import Supervisor, Tell
from ops.up import Addresses, Part, prepare, start_kafka, start_sandbox, wants_own_kafka
from schemas.codec import Codec
from schemas.registry import codec_from
from schemas.settings import ProcessSettings, ledger_in

EXAMPLE = Path(__file__).parents[2] / "merchants" / "demo-shop.toml"
ORPHAN_SECONDS = 15
COMMAND_SECONDS = 20
SESSION_SECONDS = 10.0  # a killed process is missed after this; a broker that took half as long would end the agents
PORTS = 12
SUBSCRIBED_WITHIN_SECONDS = 20.0
# What differs from the worked example: a day passes in half a minute.
QUICKER = {
    "daily_calls": "200000",  # what this day costs is no forecast for the rest of a real one
    "poll_seconds": "2",
    "overlap_seconds": "20",
    "coalesce_seconds": "0.2",
    "order": f"{ORPHAN_SECONDS / 3600:.6f}",
    "command_seconds": str(COMMAND_SECONDS),
}
NEIGHBOURS_POLL = "6"  # none of their webhooks is lost: the polls only have to be there
# A sink waits shorter than it would in earnest, and asks sooner whether a paused shop takes our token again.
IMPATIENT = {
    "RETURNFLOW_SINK_PROBE_SECONDS": "2",
    "RETURNFLOW_SINK_REQUEST_SECONDS": "5",
    "RETURNFLOW_SINK_CLAIM_SECONDS": "8",
    "RETURNFLOW_SINK_BREAKER_OPEN_SECONDS": "1",
}


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that runs, and how to reach it."""

    settings: ProcessSettings
    codec: Codec
    supervisor: Supervisor
    sandbox: Sandbox
    warehouse: Warehouse
    addresses: Addresses
    merchant: str
    merchants: tuple[str, ...]  # with those beside it
    shops: dict[str, str]  # domains by the names that the stories use
    folder: Path
    parts: tuple[Part, ...]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Merchants beside the first: the secrets that their files name, their shops' domains by short names."""

    secrets: Mapping[str, str] = {}
    shops: Mapping[str, str] = {}


# Writes further merchant files into a folder and opens their shops in the sandbox; the last argument is the first
# merchant's name.
Also = Callable[[Path, Addresses, Sandbox, str], Opened]


def nobody_else(_folder: Path, _addresses: Addresses, _sandbox: Sandbox, _merchant: str) -> Opened:
    """The demo's own merchant is the only one."""
    return Opened()


def other_shops(stories: tuple[Story, ...]) -> Also:
    """The other shops of the stories, with their orders of the morning."""

    def opened(folder: Path, addresses: Addresses, sandbox: Sandbox, merchant: str) -> Opened:
        secrets: dict[str, str] = {}
        shops: dict[str, str] = {}
        for key, body in SHOPS.items():
            mine = f"{merchant}-{key}"
            text = merchant_file(EXAMPLE.read_text(encoding="utf-8"), mine, addresses, poll_seconds=NEIGHBOURS_POLL)
            opened = {**body, "orders": morning(stories, key)}
            secrets |= open_merchant(folder, sandbox, mine, text, DIFFERENT[key], opened)
            shops[key] = domain_of(mine)
        return Opened(secrets=secrets, shops=shops)

    return opened


@contextmanager
def stage(
    settings: ProcessSettings,
    orders: tuple[Body, ...],
    tell: Tell,
    *,
    folder: Path | None = None,
    also: Also = nobody_else,
) -> Iterator[Stage]:
    """Everything up, the shop open with `orders`; all of it stopped at the end. The run directory stays."""
    with ExitStack() as stack:
        folder = folder or stack.enter_context(run_folder(cache_directory(os.environ) / "runs"))
        tell("demo", f"everything this run writes is in {folder}")
        own_kafka = wants_own_kafka(settings)
        merchant = "demo-shop" if own_kafka else f"demo-{int(time.time())}"  # another run's facts stay another's
        here = settings.model_copy(update=_own(settings, folder, own_kafka))
        supervisor = stack.enter_context(Supervisor(folder / "log", tell))
        if own_kafka:
            start_kafka(supervisor, here.kafka_bootstrap, here.data_dir / data_directory.KAFKA)
        addresses = _addresses()  # as late as can be: until they are used, they are anybody's
        _write_merchant(folder / "merchants", merchant, addresses)
        sandbox = stack.enter_context(closing(Sandbox(addresses.sandbox_port)))
        start_sandbox(supervisor, addresses.sandbox_port)
        sandbox.open_shop(_shop(orders))
        tell("topics", f"{prepare(here)} created")
        others = also(folder / "merchants", addresses, sandbox, merchant)
        secrets = {**SECRETS, **others.secrets}
        crew = Crew(supervisor, here, addresses, secrets | IMPATIENT)
        crew.start()
        _wait_for_subscriptions(sandbox)
        _tell_where(here, addresses)
        yield Stage(
            settings=here, codec=codec_from(here.registry_url), supervisor=supervisor, sandbox=sandbox,
            addresses=addresses, merchant=merchant,
            warehouse=Warehouse(addresses.gateway_port, merchant, SECRETS["DEMO_SHOP_WAREHOUSE_WEBHOOK_SECRET"]),
            merchants=tuple(sorted(each.stem for each in (folder / "merchants").iterdir())),
            shops={"": shop.DOMAIN, **others.shops}, folder=folder, parts=tuple(crew.parts),
        )  # fmt: skip


def _tell_where(settings: ProcessSettings, addresses: Addresses) -> None:
    """For `returnflow sandbox return`."""
    running = Running(
        pid=os.getpid(), kafka=settings.kafka_bootstrap, gateway=addresses.gateway_url,
        sandbox=addresses.sandbox_url, merchants=str(settings.merchants.absolute()),
    )  # fmt: skip
    data_directory.tell(settings.data_dir, running)


def merchant_file(example: str, merchant: str, addresses: Addresses, **other: str) -> str:
    """The worked example under another name, at this run's addresses, in a hurry; `other` values of its keys."""
    text = at(addresses, example)
    for key, value in {"merchant": f'"{merchant}"', **QUICKER, **other}.items():
        text, changed = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
        if not changed:
            raise ValueError(f"expected a key {key} in {EXAMPLE}, found none: the demo cannot be set up")
    return text


def _write_merchant(folder: Path, merchant: str, addresses: Addresses) -> None:
    folder.mkdir()
    text = merchant_file(EXAMPLE.read_text(encoding="utf-8"), merchant, addresses)
    (folder / f"{merchant}.toml").write_text(text, encoding="utf-8")


def _own(settings: ProcessSettings, folder: Path, own_kafka: bool) -> dict[str, object]:
    return {
        "kafka_bootstrap": f"127.0.0.1:{free_port()}" if own_kafka else settings.kafka_bootstrap,
        "ledger_url": ledger_in(folder / "data"),
        "merchants": folder / "merchants",
        "data_dir": folder / "data",
        "session_timeout_seconds": SESSION_SECONDS,
    }


def _addresses() -> Addresses:
    """A row of ports that are free now: the gateway's, the sandbox's, one for each process's metrics."""
    while True:
        first = free_port()
        if all(is_free(first + each) for each in range(PORTS)):
            return Addresses(gateway_port=first, sandbox_port=first + 1, metrics_from=first + 2)


def _shop(orders: tuple[Body, ...]) -> Body:
    return {
        "domain": shop.DOMAIN,
        "currency": "ZAR",
        "access_token": SECRETS["DEMO_SHOP_SHOPIFY_TOKEN"],
        "client_secret": SECRETS["DEMO_SHOP_SHOPIFY_WEBHOOK_SECRET"],
        "returngo_key": SECRETS["DEMO_SHOP_RETURNGO_KEY"],
        "read_all_orders": False,  # so the shop does not show us orders that are older than two months
        "bucket_size": 20_000,  # a shop on the largest plan: a day's calls in half a minute
        "restore_rate": 1_000,
        "search_lag_seconds": 2,
        "locations": shop.LOCATIONS,
        "products": (*shop.PRODUCTS, *shop.UNKEMPT),
        "customers": shop.CUSTOMERS,
        "orders": orders,
    }


def _wait_for_subscriptions(sandbox: Sandbox) -> None:
    """Until both systems know where to send. Not fatal when they do not: the polls find what was missed."""
    deadline = time.monotonic() + SUBSCRIBED_WITHIN_SECONDS
    before, now = -1, 0
    while time.monotonic() < deadline and not (0 < now == before):
        time.sleep(0.5)
        before, now = now, sandbox.subscriptions()
