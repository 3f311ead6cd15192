"""After the day: everything comes a second time, and nothing happens; no book is wrong; nobody's secret is told."""

import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from ops.demo.merchants import domain_of, secrets_of, variable
from ops.kafka import admin, quiet
from schemas import topics
from schemas.codec import Undecodable
from sinks.systems.shopify.credit import gift_card_code
from tests.e2e.day import Day, played
from tests.e2e.shops import Shop, returned
from tests.e2e.world import CALM, CUSTOMER_EMAIL, CUSTOMER_NAME, OTHERS, World, until

EVERYONE = (CALM, *OTHERS)
USED = ("shopify", "returngo")
FACTS = tuple(dict.fromkeys((*topics.CASES_SOURCES, *topics.STOCK_SOURCES, *map(topics.commands_of, USED))))
SET_QUANTITIES = "inventorySetQuantities"
SECONDS_FOR_A_SECOND_EFFECT = 3.0
RESTOCK = re.compile(r"gid://returnflow/Restock(Batch)?/[0-9a-f-]{36}")


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """The books of every shop before and after everything came again, and how much came."""

    before: dict[str, Any]
    after: dict[str, Any]
    webhooks: int
    records: int


@pytest.fixture(scope="package")
def aftermath(world: World, day: Day) -> Aftermath:
    """Waits for the end of the day, then sends every webhook and produces every fact and command once more."""
    assert day.over() > 0
    world.quiet()
    before = {merchant: books(world, merchant) for merchant in EVERYONE}
    sent = [each["id"] for each in world.get("/webhooks?state=delivered")["webhooks"]]
    world.post("/webhooks/redeliver", {"ids": sent})
    again = produce_again(world)
    world.quiet()
    time.sleep(SECONDS_FOR_A_SECOND_EFFECT)
    world.quiet()
    after = {merchant: books(world, merchant) for merchant in EVERYONE}
    return Aftermath(before=before, after=after, webhooks=len(sent), records=again)


def produce_again(world: World) -> int:
    """Every record of the topics that decide something, under its own key; how many."""
    producer = Producer({**quiet(world.bootstrap), "partitioner": "murmur2_random"})
    count = 0
    for topic in FACTS:
        for seen in world.topic(topic):
            producer.produce(topic, seen.value, seen.key)
            count += 1
    assert producer.flush(30) == 0
    return count


def books(world: World, merchant: str) -> dict[str, Any]:
    """What a second effect would change."""
    found = world.books(domain_of(merchant))
    orders = {
        name: {key: order[key] for key in ("tags", "note", "refunds", "refunded", "units", "metafields")}
        for name, order in found["orders"].items()
    }
    rmas = found["returngo"]["rmas"]
    return {"movements": found["movements"], "money": found["money"], "orders": orders, "rmas": rmas}


@pytest.mark.req("INV-13", "MON-11")
@played
def test_the_day_has_returns_of_its_own(world: World) -> None:
    """So that the tests below prove something when they run alone."""
    shop = Shop(world, CALM)
    wishes = ("RefundToPaymentMethod", "RefundToStoreCredit", "RefundByNewGiftCard")
    for order in [returned(shop, resolution=wish) for wish in wishes]:
        end = order.ended()
        assert (end.moved, len(end.paid)) == ({"101.available": 1}, 1)


@pytest.mark.req("INV-13", "MON-11", "STA-3")
def test_everything_that_comes_twice_happens_once(aftermath: Aftermath) -> None:
    assert aftermath.webhooks > 10
    assert aftermath.records > 50
    for merchant in EVERYONE:
        assert aftermath.after[merchant] == aftermath.before[merchant]


@pytest.mark.req("INV-13", "MON-11")
def test_no_shop_finds_anything_doubled(world: World, aftermath: Aftermath) -> None:
    assert {merchant: world.books(domain_of(merchant))["findings"] for merchant in EVERYONE} == {
        merchant: [] for merchant in EVERYONE
    }


@pytest.mark.req("INV-15", "STA-3")
def test_every_movement_of_ours_is_a_relative_one_and_names_its_command(world: World, aftermath: Aftermath) -> None:
    ours = 0
    for merchant in EVERYONE:
        found = world.books(domain_of(merchant))
        assert f"call_{SET_QUANTITIES}" not in found["calls"]
        adjusted = [m for m in found["movements"] if m["actor"] == "api" and m["cause"] == "adjustment" and m["delta"]]
        assert all(RESTOCK.fullmatch(each["reference"]) for each in adjusted)
        # A batch has one change for each item and place.
        assert len({(m["reference"], m["sku"], m["location_id"]) for m in adjusted}) == len(adjusted)
        ours += len(adjusted)
    assert ours > 0


@pytest.mark.req("OPS-1")
def test_every_record_is_of_a_schema_of_its_topic(world: World, aftermath: Aftermath) -> None:
    read: dict[str, int] = {}
    strange = []
    for name, topic in topics.CATALOGUE.items():
        for seen in world.topic(name) if topic.records else ():
            try:
                known = isinstance(world.codec.decode(seen.value), topic.records)
            except Undecodable:
                known = False
            if known:
                read[name] = read.get(name, 0) + 1
            else:
                strange.append(seen)
    letters = {(seen.key, seen.value) for name in _dead_letter_topics() for seen in world.topic(name)}
    assert [each for each in strange if (each.key, each.value) not in letters] == []  # all put there by a test
    assert {topics.RETURN_EVENTS, topics.ORDER_SNAPSHOTS, topics.STOCK_ITEMS, topics.COMMAND_RESULTS} <= set(read)


@pytest.mark.req("EXC-6")
def test_our_own_code_failed_on_nothing(world: World, aftermath: Aftermath) -> None:
    letters = [seen for name in _dead_letter_topics() for seen in world.topic(name)]
    reasons = [dict(seen.headers)["reason"].decode() for seen in letters]
    assert {"undecodable", "paid_already"} <= set(reasons)  # put there by tests
    assert "unexpected" not in reasons


@pytest.mark.req("OPS-4")
def test_when_all_is_done_nobody_is_behind(world: World, aftermath: Aftermath) -> None:
    listed = until(lambda: world.cli("lag"), lambda found: not [each for each in found if each["messages"]])
    assert {each["group"] for each in listed} >= {
        "returnflow-cases", "returnflow-stock", "returnflow-sink-shopify", "returnflow-sink-returngo",
        "returnflow-source-shopify", "returnflow-source-returngo",
    }  # fmt: skip
    assert {each["seconds"] for each in listed} == {0.0}


@pytest.mark.req("OPS-10")
def test_no_secret_and_nobodys_name_is_told(world: World, aftermath: Aftermath) -> None:
    private = [*_secrets(world), CUSTOMER_NAME, CUSTOMER_EMAIL, "@example.com", "1 Example Street"]
    told = re.compile("|".join(re.escape(each) for each in private).encode())
    found = [f"{where}: {match.group().decode()}" for where, text in _texts(world) for match in told.finditer(text)]
    assert found == []


def _secrets(world: World) -> Iterator[str]:
    cards = 0
    for merchant in EVERYONE:
        own = secrets_of(merchant)
        yield from own.values()
        secret = own[variable(merchant, "GIFT_CARD_SECRET")]
        for out in world.books(domain_of(merchant))["money"]:
            if out["kind"] == "gift_card" and out["note"]:
                yield gift_card_code(secret, out["note"].rpartition(" ")[2])
                cards += 1
    assert cards > 0


def _texts(world: World) -> Iterator[tuple[str, bytes]]:
    """Every log and every record but the deliveries, which hold what was sent to us for two weeks."""
    for log in sorted((world.stage.folder / "log").glob("*.log")):
        yield log.name, log.read_bytes()
    names = admin(world.bootstrap).list_topics(timeout=10).topics
    for name in sorted(set(names) - {topics.deliveries(system) for system in topics.SYSTEMS} - {"__consumer_offsets"}):
        for seen in world.topic(name):
            headers = b" ".join(value or b"" for _, value in seen.headers)
            yield name, (seen.key or b"") + b" " + (seen.value or b"") + b" " + headers


def _dead_letter_topics() -> list[str]:
    return [topics.dead_letters(name) for name in (*topics.SYSTEMS, *topics.AGENTS)]
