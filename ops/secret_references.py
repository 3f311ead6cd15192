"""The secrets that a merchant file refers to, and what is wrong with them as they are here. Reads them, shows none."""

from collections.abc import Iterator
from typing import Any

from schemas.merchant import Merchant
from schemas.secrets import SecretMissing, resolve

_KINDS = ("env:", "file:")


def secrets_of(merchant: Merchant) -> list[str]:
    """Every secret reference in a merchant file."""
    return sorted(set(_references(merchant.systems.model_dump())))


def missing(merchant: Merchant) -> list[str]:
    """What is wrong with them, one problem each."""
    return [problem for reference in secrets_of(merchant) if (problem := _missing(reference))]


def _references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for part in value.values():
                yield from _references(part)
        case list() | tuple():
            for part in value:
                yield from _references(part)
        case str() if value.startswith(_KINDS):
            yield value
        case _:
            return


def _missing(reference: str) -> str | None:
    try:
        resolve(reference)
    except SecretMissing as problem:
        return str(problem)
    return None
