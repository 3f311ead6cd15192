"""ReturnGO's lists: required page size, opaque cursors on the id, date filters such as `gte:2026-03-02T00:00:00`."""

import base64
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from starlette.datastructures import QueryParams

T = TypeVar("T")
_OPS: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
MAX_PAGE = 500


class BadQuery(ValueError):
    """A parameter ReturnGO answers with 400."""


def by_date(rows: list[T], params: QueryParams, name: str, read: Callable[[T], datetime]) -> list[T]:
    """Rows whose date fits; the same parameter twice means both must fit. Whole seconds are compared, as they are
    shown."""
    for text in params.getlist(name):
        op, colon, moment = text.partition(":")
        if not colon or op not in _OPS:
            raise BadQuery(f"{name}: expected <op>:<timestamp> with op one of {', '.join(_OPS)}, got {text!r}")
        try:
            wanted = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise BadQuery(f"{name}: expected YYYY-MM-DDTHH:mm:ss, got {moment!r}") from None
        rows = [row for row in rows if _OPS[op](int(read(row).timestamp()), wanted)]
    return rows


def by_list(rows: list[T], params: QueryParams, name: str, read: Callable[[T], list[str]]) -> list[T]:
    """Rows of which a value is in a comma-separated list."""
    text = params.get(name)
    if not text:
        return rows
    wanted = {each.strip() for each in text.split(",")}
    return [row for row in rows if wanted & set(read(row))]


def page(rows: list[T], params: QueryParams, prefix: str, read_id: Callable[[T], int]) -> tuple[list[T], str | None]:
    """One page in the order given, and the cursor of the next one."""
    size = _size(params)
    start = 0
    if cursor := params.get("cursor"):
        after = _after(cursor, prefix)
        places = [place for place, row in enumerate(rows) if read_id(row) == after]
        start = (
            places[0] + 1
            if places
            else next((place for place, row in enumerate(rows) if read_id(row) > after), len(rows))
        )
    taken = rows[start : start + size]
    more = start + size < len(rows)
    next_cursor = base64.b64encode(f"{prefix}{read_id(taken[-1])}".encode()).decode() if more and taken else None
    return taken, next_cursor


def ordered(rows: list[T], params: QueryParams, columns: dict[str, Callable[[T], float]]) -> list[T]:
    """Rows by `sort_by`, a comma list of +column and -column; by id otherwise."""
    for column in reversed([each for each in params.get("sort_by", "").split(",") if each]):
        name = column.strip().lstrip("+-")
        if name not in columns:
            raise BadQuery(f"sort_by: unknown column {name!r}")
        rows = sorted(rows, key=columns[name], reverse=column.strip().startswith("-"))
    return rows


def _size(params: QueryParams) -> int:
    text = params.get("pagesize", "")
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise BadQuery(f"pagesize: required, 1 to {MAX_PAGE}, got {text!r}")
    return int(text)


def _after(cursor: str, prefix: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().removeprefix(prefix))
    except ValueError:
        raise BadQuery(f"cursor: not one of ours: {cursor!r}") from None
