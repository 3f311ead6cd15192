"""How people mean a SKU: spaces and case at its ends do not count, nor how its letters are encoded.

A SKU only finds an item; what an item is, its own system's id says. Shown is always the SKU as it was told.
"""

import functools
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


@functools.lru_cache(maxsize=65_536)
def meant(sku: str) -> str:
    """The one spelling that all spellings of a SKU have in common; "" for none. Spaces within it count."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", sku).casefold())
    return unicodedata.normalize("NFC", folded).strip()


def same_sku(one: str | None, other: str | None) -> bool:
    """Whether both name one SKU; what names none is the same as nothing."""
    return bool(one and other) and (one == other or meant(one or "") == meant(other or "")) and bool(meant(one or ""))


def spelled_so(sku: str, found: Iterable[T], of: Callable[[T], str | None]) -> list[T]:
    """Of what a SKU finds, what is written just so, where some of it is: two SKUs may differ in case alone."""
    listed = list(found)
    exact = [each for each in listed if (of(each) or "").strip() == sku.strip()]
    return exact or listed
