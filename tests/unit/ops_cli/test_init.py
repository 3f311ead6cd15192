"""`returnflow merchants init` and `returnflow sandbox return`: from nothing to a return of one's own file, played by a
real sandbox process."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ops import sandbox_return
from ops.cli import main
from ops.demo.client import Sandbox
from ops.merchant_file import Answers, secrets, text
from ops.sandbox_merchants import Played
from ops.shop_reading import Place
from ops.up import Addresses
from schemas.merchant import load, parse
from schemas.secrets import resolve
from tests.unit.ops_cli.sandbox_process import sandbox

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


class Here:
    """A folder as a newcomer has it, with a sandbox that runs."""

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        self.merchants, self.data, self.addresses = folder / "merchants", folder / "var", addresses
        self.merchants.mkdir()
        shutil.copy(EXAMPLE, self.merchants)
        self.played = Played(self.merchants, self.data, addresses)
        self.said = self.played.open()

    def serving(self) -> "Looking":
        """As `up` does while commands run."""
        return Looking(self.played)

    def run(self, *arguments: str, answers: str = "") -> Result:
        options = ["--data-dir", str(self.data)]
        if arguments[0] == "merchants":
            options += ["--merchants", str(self.merchants)]
        return CliRunner().invoke(main, [*arguments, *options], input=answers)


class Looking(threading.Thread):
    """Looks at the files every now and then, and keeps what was said."""

    def __init__(self, played: Played) -> None:
        super().__init__(daemon=True)
        self.played, self.done, self.said = played, threading.Event(), list[tuple[str, str]]()

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.said += self.played.look()

    def __enter__(self) -> "Looking":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody subscribes here: no gateway and no source runs."""
    monkeypatch.setattr(sandbox_return, "SUBSCRIBED_WITHIN_SECONDS", 0.0)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("a newcomer's folder")  # paths have spaces
    with sandbox(folder / "var") as addresses:
        yield Here(folder, addresses)


@pytest.mark.req("OPS-7")
def test_a_file_written_by_reading_the_shop_passes_the_check_and_is_played(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.serving() as looking:
        done = here.run("merchants", "init", "my-shop", "--sandbox", "--yes")
    assert done.exit_code == 0, done.output
    assert looking.said == [("my-shop", "played by the sandbox as my-shop.myshopify.com")]
    assert "sandbox return --merchant my-shop --data-dir" in done.output
    merchant = load(here.merchants / "my-shop.toml")
    assert (merchant.currency, merchant.time_zone) == ("ZAR", "Etc/UTC")
    assert {each.location_id: each.active for each in merchant.locations} == {
        "101": True, "102": True, "103": True, "104": False,
    }  # fmt: skip
    assert merchant.model.refunding.tenders == ("gift_card", "shopify_payments", "*")
    missing = CliRunner().invoke(main, ["merchants", "check", "my-shop", "--merchants", str(here.merchants)])
    assert (missing.exit_code, missing.stderr.count("my-shop: secret env:MY_SHOP_")) == (1, 5)
    for name in (
        "SHOPIFY_TOKEN",
        "SHOPIFY_WEBHOOK_SECRET",
        "GIFT_CARD_SECRET",
        "RETURNGO_KEY",
        "RETURNGO_WEBHOOK_TOKEN",
    ):
        assert f"MY_SHOP_{name}" in done.output
        monkeypatch.setenv(f"MY_SHOP_{name}", f"never-to-be-seen-{name}")
    sound = CliRunner().invoke(main, ["merchants", "check", "my-shop", "--merchants", str(here.merchants)])
    assert (sound.exit_code, "never-to-be-seen" in sound.output) == (0, False)


def test_what_is_played_names_the_sandbox_and_secrets_that_are_made_up(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = load(here.played.folder / "demo-shop.toml")
    assert here.said == [("demo-shop", "played by the sandbox as demo-shop.myshopify.com")]
    store, shop = played.systems.returngo, played.systems.shopify
    assert store is not None
    assert shop is not None
    assert store.base_url == f"{here.addresses.sandbox_url}/returngo"
    assert shop.base_url == f"{here.addresses.sandbox_url}/shopify/demo-shop.myshopify.com"
    assert (store.webhook_url, shop.webhook_url) == (here.addresses.gateway_url, here.addresses.gateway_url)
    for name, value in here.played.variables.items():
        monkeypatch.setenv(name, value)
    assert len(resolve(shop.access_token).get_secret_value()) == 48
    for path in (*here.played.folder.iterdir(), *(here.data / "secrets").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_sandbox_that_was_started_again_gets_its_shops_anew(here: Here) -> None:
    httpx.post(f"{here.addresses.sandbox_url}/_sandbox/reset").raise_for_status()  # as a killed one comes back
    said = here.played.open_again()
    assert said[0][0] == "sandbox"
    assert ("demo-shop", "played by the sandbox as demo-shop.myshopify.com") in said
    (here.merchants / "twin.toml").write_text(EXAMPLE.read_text().replace('"demo-shop"', '"twin"', 1))
    assert here.played.look() == []  # seen once: it may be half-written
    assert here.played.look() == [("twin", "played by the sandbox as demo-shop.myshopify.com")]
    (here.merchants / "twin.toml").unlink()
    here.played.look()
    assert here.played.look() == [("twin", f"{here.merchants / 'twin.toml'} is gone")]


@pytest.mark.req("ELG-1")
def test_a_return_alone_is_taken_from_its_order_to_the_inspection(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):  # as companies set them; nothing here is beyond one
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    done = here.run("sandbox", "return", "--merchant", "demo-shop")
    assert done.exit_code == 0, done.output
    assert "inspected: sellable" in done.output
    rma = done.output.rpartition("line why ")[2].split()[0]
    told = here.run("sandbox", "return", "--merchant", "demo-shop", "--grade=missing", "--quantity=2", "--json")
    made = msgspec.json.decode(told.output)
    assert (made["quantity"], made["grade"], made["merchant"]) == (2, "missing", "demo-shop")
    early = here.run(
        "sandbox", "return", "--merchant=demo-shop", f"--order={made['order']}", "--until=requested", "--json"
    )
    assert msgspec.json.decode(early.output)["tracking"] is None
    with closing(Sandbox(here.addresses.sandbox_port)) as there:
        books = there.books_of("demo-shop.myshopify.com")
    assert books["returngo"]["rmas"][made["rma"]]["order"] == made["order"]
    assert books["returngo"]["rmas"][rma]["status"] == "Validated"


def test_a_return_that_cannot_be_made_is_one_plain_line(here: Here, tmp_path: Path) -> None:
    for wrong, said in (
        (("--sku=NOTHING",), "NOTHING"),
        (("--order=#9",), "order #9 is not in demo-shop.myshopify.com; it has #1001"),
        (("--merchant=nobody",), "returnflow: expected a merchant with a file in "),
    ):
        done = here.run("sandbox", "return", *({"--merchant=demo-shop"} - {w for w in wrong if "merch" in w}), *wrong)
        assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.output
    nobody = CliRunner().invoke(main, ["sandbox", "return", "--data-dir", str(tmp_path)])
    assert (nobody.exit_code, "found none" in nobody.stderr) == (2, True)


def test_without_a_token_everything_is_asked_and_answers_from_the_keyboard_do(here: Here) -> None:
    answers = "\n".join(["", "68192501234", "none", "https://hooks.example", "usd", "Europe/Berlin", "either", ""])
    with here.serving():
        done = here.run("merchants", "init", "asked-shop", answers=answers)
    assert done.exit_code == 0, done.output
    assert "ASKED_SHOP_SHOPIFY_TOKEN is not set" in done.stderr
    merchant = load(here.merchants / "asked-shop.toml")
    assert (merchant.currency, merchant.time_zone, merchant.model.inspecting.source) == (
        "USD",
        "Europe/Berlin",
        "either",
    )
    assert {each.location_id for each in merchant.locations} == {"68192501234"}
    assert merchant.systems.warehouse is not None
    assert not merchant.model.restocking.damaged_to_stock
    again = here.run("merchants", "init", "asked-shop", "--yes")
    assert (again.exit_code, "asked-shop.toml is the file of asked-shop already" in again.stderr) == (2, True)
    (here.merchants / "asked-shop.toml").unlink()
    here.played.look()
    here.played.look()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobodys",), "expected an answer to"),
        (("nobodys", "--yes"), "expected a value for --sellable-to"),
        (("Not A Name", "--yes", "--sellable-to=1", "--currency=EUR"), "merchant: expected 2 to 63 of"),
        (("nobodys", "--yes", "--sellable-to=1", "--currency=XXL"), "currency: expected an ISO-4217 code"),
        (("nobodys", "--yes", "--token=hunter2-is-my-token"), "expected a reference"),
    ],
)
def test_what_cannot_become_a_file_is_said_and_nothing_is_written(
    here: Here, arguments: tuple[str, ...], said: str
) -> None:
    before = sorted(here.merchants.iterdir())
    done = here.run("merchants", "init", *arguments)
    assert (done.exit_code, said in done.stderr) == (2, True), done.output
    assert "hunter2" not in done.output
    assert sorted(here.merchants.iterdir()) == before


def test_a_shop_that_refuses_its_token_is_told(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSED_SHOPIFY_TOKEN", "not-the-token-of-this-shop")
    shop = f"{here.addresses.sandbox_url}/shopify/demo-shop.myshopify.com"
    done = here.run("merchants", "init", "refused", "--yes", f"--shop-url={shop}")
    assert (done.exit_code, "the shop refuses to be read" in done.stderr) == (2, True), done.output
    assert "not-the-token" not in done.output


names = st.text(min_size=1, max_size=40)


@given(
    name=names, places=st.lists(st.tuples(st.integers(1, 9), names, st.booleans(), st.booleans()), max_size=4),
    gateways=st.lists(names, max_size=3), inspects=st.sampled_from(["returngo", "warehouse", "either"]),
)  # fmt: skip
def test_whatever_a_shop_calls_its_places_the_file_can_be_read(
    name: str, places: list[tuple[int, str, bool, bool]], gateways: list[str], inspects: str
) -> None:
    found = {str(number): Place(id=str(number), name=n, active=a, ours=o) for number, n, a, o in places}
    open_ones = [each.id for each in found.values() if each.active and each.ours] or ["10"]
    answers = Answers(
        merchant="a-shop", shop="a-shop.myshopify.com", shop_url="https://a-shop.myshopify.com",
        returngo_url="https://api.example", token="env:A_SHOP_SHOPIFY_TOKEN", currency="EUR", time_zone="UTC",
        gateway_url="", sellable=open_ones[0], damaged=open_ones[-1], inspects=inspects,  # type: ignore[arg-type]
        places=tuple(found.values()), gateways=tuple(gateways), currencies=(name, "EUR"),
    )  # fmt: skip
    merchant = parse(Path("a"), text(answers).encode())
    assert merchant.merchant == "a-shop"
    assert len(secrets(answers)) == (5 if inspects == "returngo" else 6)
    assert set(gateways) - {"", "*"} <= set(merchant.model.refunding.tenders)
