"""What is learnt of facts, read field by field."""

from typing import Any

import msgspec

from streams.domain.learn import Fact, learn
from streams.domain.learnt import Learnt, stamped


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
    """The stamp of a fact, as `named` reads it."""
    return _bare(stamped(at_ms, fact_id))
