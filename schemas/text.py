"""Text that every store and every encoding holds: no NUL, which PostgreSQL refuses, and no half of a surrogate pair,
which UTF-8 refuses. Pure."""

import re

_NOT_HELD = re.compile("[\x00\ud800-\udfff]")
HELD = r"^[^\x00\ud800-\udfff]*\Z"  # the same as a pattern of a field
_INSTEAD = "\ufffd"  # the replacement character: it shows that something stood there


def held(text: str) -> bool:
    """Whether every store holds the text as it is."""
    return _NOT_HELD.search(text) is None


def replaced(text: str) -> str:
    """The text with what no store holds replaced. Not for identities: two that differ must not become one."""
    return _NOT_HELD.sub(_INSTEAD, text)
