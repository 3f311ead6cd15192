"""A merchant file as text, from a few answers. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import tomli_w

from ops.shop_reading import Place


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; places by their ids in Shopify, "" for damaged goods that go into no stock."""

    merchant: str
    shop: str
    shop_url: str
    returngo_url: str
    token: str  # references, never values
    currency: str
    time_zone: str
    gateway_url: str  # "": webhooks are not managed by us
    sellable: str
    damaged: str
    inspects: Literal["returngo", "warehouse", "either"]
    places: tuple[Place, ...]
    gateways: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


def variable(merchant: str, name: str) -> str:
    """The variable that is to hold one of a merchant's secrets."""
    return f"{merchant.replace('-', '_').upper()}_{name}"


def secrets(answers: Answers) -> dict[str, str]:
    """What each variable is to hold, in words."""
    wanted = {
        answers.token: "the Admin API access token of the shop's custom app",
        f"env:{variable(answers.merchant, 'SHOPIFY_WEBHOOK_SECRET')}": "the client secret of that app (signs webhooks)",
        f"env:{variable(answers.merchant, 'GIFT_CARD_SECRET')}": "any long random text, the same for ever",
        f"env:{variable(answers.merchant, 'RETURNGO_KEY')}": "the API key of the ReturnGO store",
        f"env:{variable(answers.merchant, 'RETURNGO_WEBHOOK_TOKEN')}": "any long random text: the end of our address",
    }
    if answers.inspects != "returngo":
        name = variable(answers.merchant, "WAREHOUSE_WEBHOOK_SECRET")
        wanted[f"env:{name}"] = "base64 of 24 random bytes or more, shared with the warehouse"
    return wanted


def text(answers: Answers) -> str:
    """The whole file."""
    token, signing, gift_card, key, webhook_token, *door = secrets(answers)
    address = _key("webhook_url", answers.gateway_url) if answers.gateway_url else []
    lines = [
        f"# {answers.merchant}: every key is described in schemas/merchant.py, `returnflow merchants show` prints all",
        "# that takes effect. Secrets are named, never written: env:NAME or file:/path.",
        "",
        *_key("merchant", answers.merchant),
        *_key("time_zone", answers.time_zone),
        *_key("currency", answers.currency),
        *_seen("customers also paid in", answers.currencies),
        "",
        "[systems.returngo]",
        *_key("base_url", answers.returngo_url),
        *_key("shop", answers.shop),
        *_key("api_key", key),
        *_key("webhook_token", webhook_token),
        *address,
        "",
        "[systems.shopify]",
        *_key("base_url", answers.shop_url),
        *_key("shop", answers.shop),
        *_key("access_token", token),
        *_key("webhook_secrets", [signing]),
        *_key("gift_card_secret", gift_card),
        *address,
        *(["", "[systems.warehouse]", *_key("webhook_secrets", door)] if door else ()),
        "",
        "[model.inspecting]",
        *_key("source", answers.inspects),
        "",
        "[model.restocking]",
        *_key("damaged_to_stock", bool(answers.damaged)),
        "",
        "[model.refunding]",
        "# repaid in this order, * is any other",
        *_key("tenders", _tenders(answers.gateways)),
        "",
        "# Where goods go. A place that is not listed here is an exception for a person, never a default.",
        *_places(answers, bool(door)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _places(answers: Answers, warehouse: bool) -> list[str]:
    active = {each.id: each.active for each in answers.places} | {answers.sellable: True}
    names = {each.id: each.name for each in answers.places}
    found = _place("returngo", "", answers.sellable, disposition="sellable", note="ReturnGO names no place")
    if answers.damaged:
        found += _place("returngo", "", answers.damaged, disposition="damaged")
    for each in answers.places:
        if each.ours:
            found += _place("returngo", each.id, each.id, active=each.active, note=each.name)
    if not answers.places:
        found += _place("returngo", answers.sellable, answers.sellable)
    for code in sorted(active) if warehouse else ():
        if code in {answers.sellable, *(each.id for each in answers.places if each.ours)}:
            found += _place("warehouse", code, code, active=active[code], note=names.get(code, ""))
    return found


def _place(
    source: str, code: str, location: str, *, disposition: str = "any", active: bool = True, note: str = ""
) -> list[str]:
    return [
        f"[[locations]]{f'  # {_plain(note)}' if note else ''}",
        *_key("source", source),
        *_key("code", code),
        *(_key("disposition", disposition) if disposition != "any" else ()),
        *_key("location_id", location),
        *([] if active else [*_key("active", False)]),
        "",
    ]


def _tenders(gateways: Sequence[str]) -> list[str]:
    return ["gift_card", *sorted({*gateways} - {"gift_card", ""}), "*"]


def _key(name: str, value: object) -> list[str]:
    if isinstance(value, list):
        shown = ", ".join(_key("", each)[0].partition(" = ")[2] for each in value)
        return [f"{name} = [{shown}]"]
    return tomli_w.dumps({name: value}).rstrip("\n").split("\n")


def _seen(what: str, names: Sequence[str]) -> list[str]:
    return [f"# {what}: {', '.join(map(_plain, names))}"] if len(names) > 1 else []


def _plain(said: str) -> str:
    """A name of the shop's, as far as a comment may hold it."""
    return "".join(each for each in said if each.isprintable())[:60]
