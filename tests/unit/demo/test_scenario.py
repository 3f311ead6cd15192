"""The scenario is sound: its stories are many, distinct, and speak of things that exist."""

from pathlib import Path

from ops.demo import shop
from ops.demo.scenario import STORIES
from ops.demo.stage import EXAMPLE, merchant_file
from ops.demo.story import Kill, Requested, Sold
from ops.demo.words import minutes_of
from ops.sandbox_shop import SECRETS
from ops.up import Addresses, parts
from schemas.exceptions import TYPES
from schemas.merchant import load

SKUS = {variant["sku"] for product in shop.PRODUCTS for variant in product["variants"]}


def test_there_are_at_least_forty_returns_of_different_orders() -> None:
    requested = [step for story in STORIES for _, step in story.day if isinstance(step, Requested)]
    assert len(requested) >= 40
    assert len({story.order["name"] for story in STORIES}) == len({story.name for story in STORIES}) == len(STORIES)


def test_stories_are_told_in_the_order_of_time_and_end_in_words_that_exist() -> None:
    for story in STORIES:
        times = [minutes_of(at) for at, _ in story.day]
        assert times == sorted(times), story.name
        assert set(story.end.open) <= set(TYPES), story.name
        assert {each.sku for each in story.end.stock} <= SKUS, story.name
        assert story.story.endswith("."), story.name


def test_an_order_that_is_placed_in_the_day_is_placed_before_it_is_returned() -> None:
    for story in STORIES:
        kinds = [type(step) for _, step in story.day if isinstance(step, Sold | Requested)]
        assert kinds[:1] != [Requested] or Sold not in kinds, story.name


def test_the_merchants_file_of_a_run_is_valid_and_the_processes_that_die_are_of_it(tmp_path: Path) -> None:
    addresses = Addresses(gateway_port=1, sandbox_port=2)
    file = tmp_path / "demo-7.toml"
    file.write_text(merchant_file(EXAMPLE.read_text(encoding="utf-8"), "demo-7", addresses), encoding="utf-8")
    merchant = load(file)
    assert merchant.systems.shopify is not None
    assert merchant.systems.shopify.base_url.startswith("http://127.0.0.1:2/")
    assert merchant.systems.shopify.webhook_url == "http://127.0.0.1:1"
    assert merchant.systems.shopify.access_token.removeprefix("env:") in SECRETS
    names = {part.name for part in parts({"demo-7": merchant}, addresses)}
    assert {step.process for story in STORIES for _, step in story.day if isinstance(step, Kill)} <= names
