"""What must fit together in a merchant file: keys that are each fine by themselves. Each problem names its key."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, get_args

from schemas.exceptions import TYPES
from schemas.facts import Disposition
from schemas.merchant_model import BASE, STATES_APART, Model, SpecificModel
from schemas.stock import StockStatus


class Place(Protocol):
    """A line of the location map."""

    @property
    def source(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def disposition(self) -> str: ...
    @property
    def system(self) -> str | None: ...
    @property
    def location_id(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def zone(self) -> str: ...


class Budget(Protocol):
    """What a store says of the calls of its owner's day."""

    @property
    def budget_owner(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def daily_calls(self) -> int: ...
    @property
    def money_reserve(self) -> int: ...


class Rule(Protocol):
    """A line of the reason map."""

    @property
    def reason(self) -> str: ...
    @property
    def disposition(self) -> str: ...
    @property
    def stock_status(self) -> str | None: ...
    @property
    def location_id(self) -> str | None: ...


def owners(named: Mapping[str, str]) -> Iterator[str]:
    """Only known exception types have owners."""
    for kind in named:
        if kind not in TYPES:
            yield f"owners.{kind}: expected an exception type, one of {', '.join(sorted(TYPES))}"


def places(mapped: Sequence[Place]) -> Iterator[str]:
    """A code leads to one place, and a place is the same wherever it is named (INV-2, INV-5)."""
    keys = [(p.source, p.code, p.disposition, p.system) for p in mapped]
    for key in sorted({key for key in keys if keys.count(key) > 1}, key=str):
        twice = key if key[3] else key[:3]
        yield f"locations: {twice} is mapped twice; expected one place per source, code, disposition and system"
    said: set[str] = set()
    for one, other in itertools.combinations(mapped, 2):
        if one.location_id == other.location_id and _same_system(one, other):
            if one.zone != other.zone and not _both(one, other):
                said.add(f"{one.location_id!r} is mapped with zone quarantine and zone stock")
            if one.active != other.active:
                said.add(f"{one.location_id!r} is mapped as active and as not active")
    for problem in sorted(said):
        yield f"locations: {problem}; expected one of them wherever it is named"


def _both(one: Place, other: Place) -> bool:
    """Whether the place may hold goods for sale and others: in a system that keeps them apart, which None may be."""
    return any(each.system is None or each.system in STATES_APART for each in (one, other))


def _same_system(one: Place, other: Place) -> bool:
    return one.system == other.system or None in (one.system, other.system)


def statuses(
    mapped: Mapping[Disposition, StockStatus], rules: Sequence[Rule], models: Sequence[Model]
) -> Iterator[str]:
    """Damaged goods are never for sale, what is not there goes into no stock, and all else does (INV-2)."""
    named = ", ".join(map(repr, get_args(StockStatus)))
    if "sellable" not in mapped:
        yield f"dispositions.sellable: expected one of {named}, else sellable goods go into no stock, got nothing"
    if "damaged" not in mapped and any(model.restocking.damaged_to_stock for model in models):
        yield (
            "dispositions.damaged: expected 'damaged' or 'quality_control', or restocking.damaged_to_stock = false in "
            "every model, got nothing"
        )
    if mapped.get("damaged") == "available":
        yield "dispositions.damaged: expected 'damaged' or 'quality_control', for it is never saleable, got 'available'"
    gone: Disposition
    for gone in ("missing", "not_returned"):
        if gone in mapped:
            yield f"dispositions.{gone}: expected no stock for goods that did not come back, got {mapped[gone]!r}"
    for i, rule in enumerate(rules):
        if rule.stock_status is None and rule.location_id is None:
            yield f"reasons.{i}: expected stock_status or location_id for {rule.reason!r}, got neither"
        if rule.stock_status == "available" and rule.disposition != "sellable":
            yield (
                f"reasons.{i}.stock_status: expected 'available' only with disposition 'sellable', "
                f"got disposition {rule.disposition!r}"
            )


def reasons(rules: Sequence[Rule], mapped: Sequence[Place]) -> Iterator[str]:
    """A reason leads to one rule, and to a place that is mapped."""
    known = sorted({place.location_id for place in mapped})
    for i, rule in enumerate(rules):
        if rule.location_id is not None and rule.location_id not in known:
            yield (
                f"reasons.{i}.location_id: expected one of the mapped places ({', '.join(known) or 'none is'}), "
                f"got {rule.location_id!r}"
            )
    keys = [(r.reason, r.disposition) for r in rules]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"reasons: {key} has two rules; expected one per reason and disposition"


def models(base: Model, specific: Sequence[SpecificModel]) -> Iterator[str]:
    """One model governs a line, and its name says which (see merchant_model.py for the rule)."""
    if base.name != BASE:
        yield f"model.name: expected none, as it governs all that no other does, got {base.name!r}"
    for i, model in enumerate(specific):
        before = specific[:i]
        if model.name in (BASE, *(other.name for other in before)):
            yield f"models.{i}.name: expected a name that no other model has, got {model.name!r}"
        for other in before:
            if other.selector == model.selector:
                named = ", ".join(f"{k} {v!r}" for k in ("channel", "store", "location") if (v := getattr(model, k)))
                yield (
                    f"models.{i}: {model.name!r} and {other.name!r} both govern {named}; expected one of them, or one "
                    "that names a channel, store or location more"
                )


def budgets(stores: Mapping[str, Budget | None]) -> dict[str, str]:
    """Stores of one owner share one day, so their files must agree on it, and on whose one key is: what is wrong, by
    merchant. The first of them counts."""
    first: dict[str, tuple[str, Budget]] = {}
    owners: dict[str, tuple[str, str]] = {}
    found: dict[str, str] = {}
    for name, store in stores.items():
        if store is None:
            continue
        beside, owner = owners.setdefault(store.api_key, (name, store.budget_owner))
        if owner != store.budget_owner:
            found[name] = (
                f"merchant {name}: systems.returngo.budget_owner: expected {owner!r} as {beside} has it, whose api_key "
                f"is the same, got {store.budget_owner!r}: its calls of a day would be counted twice"
            )
            continue
        other, known = first.setdefault(store.budget_owner or store.api_key, (name, store))
        if (known.daily_calls, known.money_reserve) != (store.daily_calls, store.money_reserve):
            found[name] = (
                f"merchant {name}: systems.returngo.daily_calls and money_reserve: expected those of {other}, which "
                f"has the same owner: {known.daily_calls} and {known.money_reserve}; got {store.daily_calls} and "
                f"{store.money_reserve}"
            )
    return found
