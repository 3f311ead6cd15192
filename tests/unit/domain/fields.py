"""What is learnt of facts, read field by field."""

from typing import Any
from zlib import crc32

import msgspec

from streams.domain.learn import Fact, learn
from streams.domain.learnt import Learnt


def learnt(*facts: Fact) -> Learnt:
    known: Learnt | None = None
    for fact in facts:
        known = learn(known, fact)
    assert known is not None
    return known


def named(record: Any) -> Any:
    """Field by field; rows are arrays, so a nested record reads as a tuple of its fields."""
    return {name: _bare(getattr(record, name)) for name in record.__struct_fields__}


def _bare(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return tuple(_bare(getattr(value, name)) for name in value.__struct_fields__)
    return tuple(_bare(each) for each in value) if isinstance(value, tuple) else value


def at(at_ms: int, fact_id: str) -> Any:
    """The stamp of a fact without an order of reading, as `named` reads it."""
    return at_ms, crc32(fact_id.encode()) - 2**32
