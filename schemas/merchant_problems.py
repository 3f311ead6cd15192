"""What is wrong with a merchant file, in words for people: what was expected, what came, no secret. Pure."""

import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def problems(path: Path, error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One line for each, with file and key; `root` is the model that was to be read."""
    found = error.errors(include_url=False)
    # a list whose only entries are wrong is not too short as well
    inside = {each["loc"][:-1] for each in found}
    told = [each for each in found if each["type"] != "too_short" or each["loc"] not in inside]
    return [f"{path}: {line}" for each in told for line in _lines(each, root)]


def _lines(problem: ErrorDetails, root: type[BaseModel]) -> list[str]:
    """What does not fit together names its keys itself, one problem a line."""
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    return [f"{key}: {_what(problem, root)}"] if key else _what(problem, root).split("\n")


def _what(problem: ErrorDetails, root: type[BaseModel]) -> str:
    """An unknown key may be a secret in the wrong place, so its value stays out as well."""
    match problem:
        case {"type": "extra_forbidden"}:
            return f"there is no such key; expected one of {', '.join(_keys_beside(problem['loc'], root))}"
        case {"type": "missing"}:
            return "this key must be given: nothing is assumed for it"
        case {"type": "tuple_type"}:
            return _shape(problem, "a list: [ … ], or [[…]] above each of its entries")
        case {"type": "model_type" | "dict_type"}:
            return _shape(problem, "a table: keys below its [heading]")
        case {"type": "secret"} | {"input": dict() | list() | BaseModel()}:
            return problem["msg"].removeprefix("Value error, ")
        case _:
            came = problem["input"]
            shown = re.sub(r"(?<=//)[^/@\s]*@", "***@", came) if isinstance(came, str) else came
            return f"{problem['msg'].removeprefix('Value error, ')}, got {shown!r}"


def _shape(problem: ErrorDetails, expected: str) -> str:
    """What stands where a system's list or table is expected may be a secret, too."""
    came = problem["input"]
    plain = isinstance(came, str | int | float) and problem["loc"][0] != "systems"
    return f"expected {expected}; got {repr(came) if plain else 'something else (not shown)'}"


def _keys_beside(place: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that are allowed where an unknown one stands."""
    section = root
    for part in place[:-1]:
        if isinstance(part, str) and part in section.model_fields:
            section = _section(section.model_fields[part].annotation) or section
    return sorted(section.model_fields)


def _section(hint: object) -> type[BaseModel] | None:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for part in get_args(hint) if (found := _section(part)) is not None), None)
