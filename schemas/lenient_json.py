"""JSON as others really write it: with a byte order mark in front, with halves of surrogate pairs, with bytes that are
no UTF-8. What no text can hold stays visible as halves of surrogate pairs, which nobody takes for an id. Pure."""

import json
from collections.abc import Callable
from typing import Any, NoReturn


def loads(body: bytes, parse_float: Callable[[str], Any] = float) -> Any:
    """The value of a body; raises ValueError when it is no JSON, RecursionError when it is nested too deeply."""
    return json.loads(
        body.decode("utf-8-sig", errors="surrogateescape"), parse_float=parse_float, parse_constant=_no_number
    )


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"expected a JSON number, got {word}")
