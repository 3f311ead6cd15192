"""The scenario is sound: its stories are many, distinct, and speak of things that exist."""

from pathlib import Path

import pytest

from ops.demo import neighbours, shop
from ops.demo.merchants import open_merchant
from ops.demo.scenario import STORIES
from ops.demo.stage import EXAMPLE, merchant_file, other_shops
from ops.demo.story import Body, Kill, Requested, Sold
from ops.demo.words import minutes_of
from ops.sandbox_shop import SECRETS
from ops.up import Addresses, parts
from schemas.exceptions import TYPES
from schemas.merchant import load

GOODS = {"": (*shop.PRODUCTS, *shop.UNKEMPT), **{key: body["products"] for key, body in neighbours.SHOPS.items()}}
NAMES = {
    key: {variant.get("name") or variant["sku"] for product in products for variant in product["variants"]}
    for key, products in GOODS.items()
}


def test_there_are_at_least_forty_returns_of_different_orders() -> None:
    requested = [step for story in STORIES for _, step in story.day if isinstance(step, Requested)]
    assert len(requested) >= 40
    assert len({story.order["name"] for story in STORIES}) == len({story.name for story in STORIES}) == len(STORIES)


def test_stories_are_told_in_the_order_of_time_and_end_in_words_that_exist() -> None:
    for story in STORIES:
        times = [minutes_of(at) for at, _ in story.day]
        assert times == sorted(times), story.name
        assert set(story.end.open) <= set(TYPES), story.name
        assert {each.sku for each in story.end.stock} <= NAMES[story.shop], story.name
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


class Opened:
    """A sandbox that takes every shop."""

    def __init__(self) -> None:
        self.shops: list[Body] = []

    def open_shop(self, body: Body) -> None:
        """Keeps what it is told."""
        self.shops.append(body)


def test_the_other_shops_have_files_of_their_own_with_secrets_that_are_given(tmp_path: Path) -> None:
    sandbox, addresses = Opened(), Addresses(gateway_port=1, sandbox_port=2)
    others = other_shops(STORIES)(tmp_path, addresses, sandbox, "demo-7")  # type: ignore[arg-type]
    assert set(others.shops) == set(neighbours.SHOPS) == {story.shop for story in STORIES} - {""}
    for key, opened in zip(neighbours.SHOPS, sandbox.shops, strict=True):
        merchant = load(tmp_path / f"demo-7-{key}.toml")
        assert merchant.systems.shopify is not None
        assert merchant.systems.shopify.shop == opened["domain"] == others.shops[key]
        assert merchant.systems.shopify.access_token.removeprefix("env:") in others.secrets
        assert merchant.currency == opened["currency"]
        assert merchant.model.refunding.tolerance_minor == 0
        assert [each["name"] for each in opened["orders"]] == [s.order["name"] for s in STORIES if s.shop == key]


def test_a_passage_that_the_example_does_not_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected 'colour = 1' once in the worked example, found it 0 times"):
        open_merchant(tmp_path, Opened(), "demo-7", "", {"colour = 1": "colour = 2"}, {})  # type: ignore[arg-type]


def test_the_shops_of_the_day_round_in_at_least_three_ways() -> None:
    assert len({opened["rounding"] for opened in neighbours.SHOPS.values()}) >= 3
