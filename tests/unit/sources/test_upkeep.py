"""A source takes up files and secrets while it runs; a merchant whose configuration is broken stops no other."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.merchant import Merchant
from schemas.merchant_folder import MerchantFolder
from schemas.misconfigured import Misconfigured, gauge
from streams.sources.doors import Secrets, secrets_of
from streams.sources.poll_returngo import RmaPoll, TransactionPoll
from streams.sources.subscriptions import ReturnGoSubscriptions, Watch
from streams.sources.upkeep import Served, Upkeep
from tests.unit.schemas.merchant_text import LEAST, RETURNGO, written
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop


def text(name: str, poll_seconds: int = 900) -> str:
    made = LEAST.replace('"m-1"', f'"{name}"') + RETURNGO.format(url="https://x.example")
    return made + f'poll_seconds = {poll_seconds}\nwebhook_url = "https://gateway.example"\n'


class Running:
    """An upkeep whose rounds note when they run; `tokens` that are missing cannot be read."""

    def __init__(self, folder: Path, gone_after_seconds: float | None = None) -> None:
        self.path = folder
        self.folder = MerchantFolder.opened(folder, gone_after_seconds)
        self.tokens: dict[str, str] = {}
        self.ran: list[tuple[str, float]] = []
        self.told: list[ExceptionRaised | ExceptionCleared] = []
        self.served = Served("returngo", self.folder, lambda _: True)
        self.fails: str | None = None
        self.upkeep = Upkeep(
            folder=self.folder, served=self.served, connecting=None, rounds=self._rounds, mine=lambda: True,
            token=self._token, telling=Misconfigured("source returngo", gauge(CollectorRegistry()), lambda: 7),
            publish=self._publish,
        )  # fmt: skip

    def _token(self, merchant: Merchant) -> str:
        if merchant.merchant not in self.tokens:
            raise ValueError("systems.returngo.webhook_token: secret env:TOKEN: expected a value, found nothing")
        return self.tokens[merchant.merchant]

    def _rounds(self, name: str, merchant: Merchant, token: str) -> list[tuple[float, Callable[[], Any]]]:
        assert merchant.systems.returngo is not None
        seconds = merchant.systems.returngo.poll_seconds

        async def work() -> None:
            if name == self.fails:
                raise RuntimeError("the ledger is gone")
            self.ran.append((f"{name} {token}", seconds))

        return [(seconds, work)]

    async def _publish(self, record: ExceptionRaised | ExceptionCleared) -> None:
        self.told.append(record)

    async def look(self) -> list[tuple[str, float]]:
        """What ran because of two looks."""
        self.ran.clear()
        await self.upkeep.look()
        await self.upkeep.look()
        await asyncio.sleep(0)
        return sorted(self.ran)

    def open(self) -> list[tuple[str, str]]:
        """Merchant and detail of what is raised and not cleared."""
        last = {each.exception_id: each for each in self.told}
        return [(each.merchant, each.detail) for each in last.values() if isinstance(each, ExceptionRaised)]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    written(tmp_path, text("m-1"), "m-1.toml")
    written(tmp_path, text("m-2"), "m-2.toml")
    made = Running(tmp_path)
    made.tokens = {"m-1": "one", "m-2": "two"}
    return made


async def test_only_what_changed_begins_anew(running: Running) -> None:
    assert await running.look() == [("m-1 one", 900), ("m-2 two", 900)]
    assert await running.look() == []
    written(running.path, text("m-2", 60), "m-2.toml")
    assert await running.look() == [("m-2 two", 60)]
    written(running.path, text("m-3"), "m-3.toml")
    running.tokens["m-3"] = "three"
    assert await running.look() == [("m-3 three", 900)]
    running.tokens["m-1"] = "another"
    assert await running.look() == [("m-1 another", 900)]
    assert running.open() == []


async def test_a_merchant_who_leaves_the_system_is_served_no_more(running: Running) -> None:
    await running.look()
    written(running.path, LEAST.replace('"m-1"', '"m-2"'), "m-2.toml")
    assert await running.look() == []
    assert (sorted(running.served.merchants), running.served.elsewhere) == (["m-1"], {"m-2"})
    written(running.path, text("m-2"), "m-2.toml")
    assert await running.look() == [("m-2 two", 900)]
    assert running.served.elsewhere == set()


async def test_a_merchant_whose_file_is_gone_is_served_no_more_and_again_when_it_is_back(
    running: Running, tmp_path: Path
) -> None:
    running, tokens = Running(tmp_path, gone_after_seconds=0.0), running.tokens
    running.tokens = tokens
    await running.look()
    (running.path / "m-2.toml").unlink()
    assert await running.look() == []
    assert ([*running.served.merchants], running.served.elsewhere) == (["m-1"], set())
    assert [merchant for merchant, detail in running.open() if "is gone" in detail] == ["m-2"]
    written(running.path, text("m-2"), "m-2.toml")
    assert await running.look() == [("m-2 two", 900)]
    assert running.open() == []


async def test_a_broken_file_and_a_missing_secret_are_told_and_leave_the_others_alone(running: Running) -> None:
    del running.tokens["m-1"]
    written(running.path, "[[", "m-2.toml")
    assert await running.look() == [("m-1 ", 900), ("m-2 two", 900)]  # m-2 as its file said last
    (one, missing), (two, broken) = sorted(running.open())
    assert (one, two) == ("m-1", "m-2")
    assert f"{running.path / 'm-1.toml'}: systems.returngo.webhook_token: secret env:TOKEN" in missing
    assert str(running.path / "m-2.toml") in broken
    running.tokens["m-1"] = "one"
    written(running.path, text("m-2"), "m-2.toml")
    assert await running.look() == [("m-1 one", 900)]
    assert running.open() == []


async def test_a_round_that_breaks_ends_the_process(running: Running) -> None:
    running.fails = "m-2"
    await running.upkeep.look()
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="the ledger is gone"):
        await running.upkeep.look()


def poll_of(source: Source, kind: str) -> RmaPoll | TransactionPoll:
    store = shop().systems.returngo
    assert store is not None
    made = (RmaPoll if kind == "rmas" else TransactionPoll)("shop-a", store, source.transport, source.memory)
    assert isinstance(made, RmaPoll | TransactionPoll)
    return made


@pytest.mark.req("EXC-6")
@pytest.mark.parametrize("asking", ["rmas", "transactions", "subscriptions"])
async def test_a_key_that_is_refused_is_told_whoever_asks_and_cleared_by_whoever_is_answered(
    tmp_path: Path, asking: str
) -> None:
    async with returngo_source(tmp_path, shop()) as source:
        watch = Watch(
            ReturnGoSubscriptions("shop-a", "https://gateway", "token", source.transport), source.outbox,
            source.memory, source.clock,
        )  # fmt: skip

        async def ask(what: str) -> None:
            await (watch.look() if what == "subscriptions" else source.poller.once(poll_of(source, what)))

        source.store.status = 401
        await ask(asking)
        await ask(asking)
        (raised,) = source.log.records("exceptions")
        assert isinstance(raised, ExceptionRaised)
        assert (raised.type, raised.merchant) == ("misconfigured", "shop-a")
        assert "systems.returngo.api_key" in raised.detail
        source.store.status = 200
        await ask("rmas" if asking == "subscriptions" else "subscriptions")
        cleared = source.log.records("exceptions")[-1]
        assert isinstance(cleared, ExceptionCleared)
        assert cleared.exception_id == raised.exception_id


def test_one_senders_secret_that_is_of_no_use_closes_no_other_door() -> None:
    given = {"env:TOKEN": "token", "env:SECRET": "c2VjcmV0LTE="}

    def secret(reference: str) -> str:
        if reference not in given:
            raise ValueError(f"secret {reference}: expected a value, found nothing")
        return given[reference]

    all_of_them, problems = secrets_of(shop(), secret)
    assert (all_of_them.returngo_token, all_of_them.warehouse, problems) == (b"token", ("c2VjcmV0LTE=",), [])
    given["env:SECRET"] = "a"
    at_start, problems = secrets_of(shop(), secret)
    assert at_start == Secrets(returngo_token=b"token", shopify=(b"a",))
    assert [each.partition(":")[0] for each in problems] == [
        "systems.warehouse.webhook_secrets", "systems.carrier.webhook_secrets",
    ]  # fmt: skip
    del given["env:TOKEN"]
    later, problems = secrets_of(shop(), secret, all_of_them)
    assert (later.returngo_token, later.warehouse, len(problems)) == (b"token", all_of_them.warehouse, 3)
