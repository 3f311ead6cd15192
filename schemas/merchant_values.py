"""A merchant as plain keys and values, as it takes effect with all defaults: to be shown and compared."""

from collections.abc import Iterator
from typing import Any

from schemas.merchant import Merchant
from schemas.merchant_model import ASKED_OF_THE_ORDER, SpecificModel

# What a line of the location or reason map is about; the rest is what it says.
_SUBJECT = ("source", "code", "reason", "disposition", "system")


def values(merchant: Merchant) -> dict[str, object]:
    """`model.refunding.after` → `inspected`, … in the order of the model. A line of a map is one key.

    A model of `[[models]]` stands under its name, so that the order in the file makes no difference.
    """
    dumped = merchant.model_dump(mode="json", exclude={"models"}, exclude_none=True)
    found = dict(_flat(dumped))
    for model in merchant.models:
        found |= _flat(model.model_dump(mode="json", exclude=_idle(model), exclude_none=True), f"models.{model.name}.")
    return found


def _idle(model: SpecificModel) -> dict[str, bool | set[str]]:
    """Keys of a model that govern nothing."""
    asked: dict[str, bool | set[str]] = {**ASKED_OF_THE_ORDER} if model.location else {}
    return {"name": True, **asked}


def differences(old: Merchant, new: Merchant) -> list[tuple[str, object, object]]:
    """(key, value before, value after) of each key that takes another effect; None: the key is not there."""
    before, after = values(old), values(new)
    return [
        (key, before.get(key), after.get(key))
        for key in (*before, *(key for key in after if key not in before))
        if before.get(key) != after.get(key)
    ]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, each in value.items():
        name = f"{prefix}{key}"
        if isinstance(each, dict) and each:
            yield from _flat(each, f"{name}.")
        elif isinstance(each, list) and each and isinstance(each[0], dict):
            for row in each:
                yield f"{name}{_subject(row)}", ", ".join(f"{k} {v}" for k, v in row.items() if k not in _SUBJECT)
        elif each not in ([], {}):
            yield name, ", ".join(map(str, each)) if isinstance(each, list) else each


def _subject(row: dict[str, Any]) -> str:
    return "[" + " ".join(str(row[name]) or '""' for name in _SUBJECT if name in row) + "]"
