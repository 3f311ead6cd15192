"""Marks on orders: tags, note, and metafields with compare-and-set."""

import hashlib
import re

import msgspec
from graphql import GraphQLError
from msgspec import UNSET, UnsetType

from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.catalogue import Entity
from ops.sandbox.shopify.sales import Customer, Order
from ops.sandbox.shopify.values import Payload, Refusal, parse_gid
from ops.sandbox.shopify.wallet import Metafield

TAG_LIMIT = 40
TAGS_LIMIT = 250
STALE = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
KEY = re.compile(r"[a-zA-Z0-9_-]{2,64}")
NAMESPACE = re.compile(r"[a-zA-Z0-9_$:-]{3,255}")
MAX_METAFIELDS = 25


class OrderGiven(msgspec.Struct, frozen=True, kw_only=True):
    """OrderInput; what is left out stays as it is."""

    id: str
    note: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType | None = UNSET
    custom_attributes: list[dict[str, str]] | UnsetType | None = UNSET


class MetafieldGiven(msgspec.Struct, frozen=True, kw_only=True):
    """MetafieldsSetInput. `compare_digest` null: only if it does not exist yet; left out: whatever is there."""

    owner_id: str
    key: str
    value: str
    namespace: str | None = None
    type: str | None = None
    compare_digest: str | UnsetType | None = UNSET


def tags_add(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: a set, compared without case and outer blanks."""
    owner, refusal = _taggable(action, str(args["gid"]))
    given = [tag.strip() for tag in msgspec.convert(args["tags"], list[str]) if tag.strip()]
    long = [tag for tag in given if len(tag) > TAG_LIMIT]
    refusals = [refusal] if refusal else []
    refusals += [Refusal(["tags"], f"Tag is too long (maximum is {TAG_LIMIT} characters)") for _ in long]
    if owner is None or refusals:
        return {"node": None, "user_errors": refusals}
    have = {tag.casefold() for tag in owner.tags}
    first_spelling = {tag.casefold(): tag for tag in reversed(given)}
    new = [tag for folded, tag in reversed(first_spelling.items()) if folded not in have]
    if len(owner.tags) + len(new) > TAGS_LIMIT:
        return {"node": None, "user_errors": [Refusal(["tags"], f"Tags cannot be more than {TAGS_LIMIT}")]}
    owner.tags.extend(new)
    _tags_changed(action, owner, new, "tag_added")
    return {"node": owner, "user_errors": []}


def tags_remove(action: Action, args: dict[str, object]) -> Payload:
    """The mutation; a tag that is not there is no error."""
    owner, refusal = _taggable(action, str(args["gid"]))
    if owner is None:
        return {"node": None, "user_errors": [refusal]}
    gone = {tag.strip().casefold() for tag in msgspec.convert(args["tags"], list[str])}
    removed = [tag for tag in owner.tags if tag.casefold() in gone]
    owner.tags[:] = [tag for tag in owner.tags if tag.casefold() not in gone]
    _tags_changed(action, owner, removed, "tag_removed")
    return {"node": owner, "user_errors": []}


def _taggable(action: Action, gid: str) -> tuple[Order | Customer | None, Refusal | None]:
    parsed = parse_gid(gid)
    if parsed is None or parsed[0] not in ("Order", "Customer"):
        raise GraphQLError(f"Invalid id: {gid}", extensions={"code": "RESOURCE_NOT_FOUND"})
    found = (
        action.shop.numbered(Order, parsed[1]) if parsed[0] == "Order" else action.shop.numbered(Customer, parsed[1])
    )
    return found, None if found else Refusal(["id"], f"{parsed[0]} does not exist")


def _tags_changed(action: Action, owner: Order | Customer, tags: list[str], kind: str) -> None:
    name = owner.name if isinstance(owner, Order) else owner.id
    for tag in tags:
        action.mark(kind, name, tag)
    if tags and isinstance(owner, Order):
        touch(action, owner)


def order_update(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: note, tags and attributes replace what was there."""
    given = msgspec.convert(args["input"], OrderGiven)
    order = action.shop.find(Order, given.id)
    if order is None:
        return {"order": None, "user_errors": [Refusal(["id"], "Order does not exist")]}
    if not isinstance(given.note, UnsetType) and given.note != order.note:
        order.note = given.note
        action.mark("note", order.name, given.note or "")
    if not isinstance(given.tags, UnsetType):
        order.tags = list(dict.fromkeys(given.tags or []))
        action.mark("tags_replaced", order.name, ", ".join(order.tags))
    if not isinstance(given.custom_attributes, UnsetType):
        order.attributes = [(each["key"], each["value"]) for each in given.custom_attributes or []]
    touch(action, order)
    return {"order": order, "user_errors": []}


def metafields_set(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: all or none; one wrong digest and nothing is written."""
    given = msgspec.convert(args["metafields"], list[MetafieldGiven])
    if len(given) > MAX_METAFIELDS:
        return _no_metafields(
            [
                Refusal(
                    ["metafields"],
                    f"Exceeded the maximum metafields input limit of {MAX_METAFIELDS}.",
                    "LESS_THAN_OR_EQUAL_TO",
                )
            ]
        )
    refusals = [refusal for index, each in enumerate(given) if (refusal := _wrong_metafield(action, index, each))]
    if refusals:
        return _no_metafields(refusals)
    return {"metafields": [_write(action, each) for each in given], "user_errors": []}


def _no_metafields(refusals: list[Refusal]) -> Payload:
    return {"metafields": None, "user_errors": refusals}


def _wrong_metafield(action: Action, index: int, each: MetafieldGiven) -> Refusal | None:
    where = ["metafields", str(index)]
    if action.shop.node(each.owner_id) is None:
        return Refusal([*where, "ownerId"], "Owner does not exist.", "INVALID", index)
    if not KEY.fullmatch(each.key):
        return Refusal(
            [*where, "key"], "Key must be 2 to 64 letters, numbers, hyphens and underscores.", "INVALID", index
        )
    if not NAMESPACE.fullmatch(each.namespace or "app"):
        return Refusal(
            [*where, "namespace"],
            "Namespace must be 3 to 255 letters, numbers, hyphens and underscores.",
            "INVALID",
            index,
        )
    existing = action.shop.metafields.get((each.owner_id, each.namespace or "app", each.key))
    if existing is None and each.type is None:
        return Refusal([*where, "type"], "Type can't be blank", "BLANK", index)
    if each.type in ("json", "list.single_line_text_field") and not _is_json(each.value):
        return Refusal([*where, "value"], "Value is invalid JSON.", "INVALID_VALUE", index)
    if not isinstance(each.compare_digest, UnsetType) and each.compare_digest != (
        existing.compare_digest if existing else None
    ):
        return Refusal(where, STALE, "STALE_OBJECT", index)
    return None


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return False
    return True


def _write(action: Action, each: MetafieldGiven) -> Metafield:
    owner = action.shop.node(each.owner_id)
    if owner is None:
        raise ValueError(f"metafield owner {each.owner_id} is gone; it was checked before")
    place = (each.owner_id, each.namespace or "app", each.key)
    existing = action.shop.metafields.get(place)
    number = action.number(Metafield)
    digest = hashlib.sha256(f"{number}:{each.value}".encode()).hexdigest()
    if existing is None:
        existing = Metafield(
            number=number,
            owner=owner,
            namespace=place[1],
            key=each.key,
            type=each.type or "single_line_text_field",
            value=each.value,
            compare_digest=digest,
            created_at=action.now(),
            updated_at=action.now(),
        )
        action.shop.metafields[place] = action.shop.add(existing)
    existing.value, existing.compare_digest, existing.updated_at = each.value, digest, action.now()
    action.mark("metafield", _owner_name(owner), f"{place[1]}.{each.key}")
    return existing


def _owner_name(owner: Entity) -> str:
    return owner.name if isinstance(owner, Order) else owner.id
