"""One page of a list that a system hands out in pages."""

from typing import Any

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """`next_cursor` is None on the last page; otherwise it is opaque and goes back as it came."""

    rows: list[dict[str, Any]]
    next_cursor: str | None
