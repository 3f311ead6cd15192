"""Takes out of text for people what must not be in it: e-mail addresses, telephone numbers, tokens. Pure."""

import re

_MOST = 500
_PATTERNS = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (
        re.compile(r"(?i)\b(token|key|secret|password|authorization)(\"?\s*[:=]\s*\"?)((bearer|basic)\s+)?[^\s\"&,;]+"),
        r"\1\2[secret]",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (re.compile(r"\b(shp[a-z]{2,3}_|sk_|pk_|whsec_)\w+"), "[secret]"),
    (re.compile(r"(?<![\w-])\+\d[\d ()/-]{6,}\d"), "[telephone]"),
)


def redact(text: str) -> str:
    """The text without what looks like personal data or a secret, and not longer than a note should be."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
