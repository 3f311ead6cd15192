"""Random records for the contract tests: every field of every record, also the awkward values."""

import re
import types
import typing
from typing import Any

import hypothesis.strategies as st
import msgspec

from schemas.catalogue import SCHEMA_IDS
from schemas.money import EXPONENTS

# Avro carries UTF-8; lone surrogates are no text
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LONG = st.integers(-(2**63), 2**63 - 1)
_PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: LONG,
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    float: st.floats(allow_nan=False),
}


def any_record() -> st.SearchStrategy[Any]:
    """A record of any type of the catalogue."""
    return st.one_of([record_of(each) for each in SCHEMA_IDS])


def record_of(record: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Records of one type, every field filled at random."""
    fields = {field.name: value_of(field.type) for field in msgspec.structs.fields(record)}
    return st.builds(record, **fields)


def value_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if origin is typing.Annotated:
        return _bounded(*arguments)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([st.none() if each is type(None) else value_of(each) for each in arguments])
    if origin is tuple:
        return st.lists(value_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, value_of(arguments[1]), max_size=2)
    return record_of(hint)


def _bounded(kind: type, bounds: msgspec.Meta) -> st.SearchStrategy[Any]:
    if kind is int:
        assert isinstance(bounds.ge, int)
        assert isinstance(bounds.le, int)
        return st.integers(bounds.ge, bounds.le)
    assert bounds.pattern is not None
    return st.sampled_from([code for code in sorted(EXPONENTS) if re.search(bounds.pattern, code)])
