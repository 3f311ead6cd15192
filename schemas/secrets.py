"""Secrets are named in merchant files and read here, once, by a process that starts. Reads environment and files.

A value that no header can hold is refused here, so that no library's error about it is ever told.
"""

import os
from pathlib import Path

import pydantic

SHORTEST = 8  # characters
LARGEST_FILE = 16_384  # bytes
FOLDER = "RETURNFLOW_SECRETS_DIR"
DEFAULT_FOLDER = "/run/secrets"  # where containers get them


class SecretMissing(ValueError):
    """A reference that leads to no usable secret; the message names the reference, never a value."""


def resolve(reference: str) -> pydantic.SecretStr:
    """The secret behind `env:NAME` or `file:/path`; raises SecretMissing when it is absent or cannot be one."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "")
    elif kind == "file":
        value = _read(reference, Path(name))
    else:
        raise SecretMissing(f"expected a secret reference env:NAME or file:/path, got one of kind {kind!r}")
    if wrong := _wrong(value):
        raise SecretMissing(f"secret {reference}: expected {wrong}{' (the value is not shown)' if value else ''}")
    return pydantic.SecretStr(value)


def _read(reference: str, path: Path) -> str:
    """The file without the line end that editors add. Links may lead to no other folder."""
    folder = Path(os.environ.get(FOLDER) or DEFAULT_FOLDER)
    try:
        inside = path.resolve(strict=True).is_relative_to(folder.resolve())
        content = path.read_bytes() if inside and path.stat().st_size <= LARGEST_FILE else None
    except OSError as error:
        raise SecretMissing(f"secret {reference}: the file cannot be read ({error.strerror})") from error
    if not inside:
        raise SecretMissing(f"secret {reference}: expected a file below {folder}, the folder that {FOLDER} names")
    if content is None:
        raise SecretMissing(f"secret {reference}: expected a file of at most {LARGEST_FILE:,} bytes")
    return content.decode("ascii", "replace").rstrip("\r\n")


def _wrong(value: str) -> str | None:
    """What is expected instead; None: nothing."""
    if not value:
        return "a value, found nothing"
    if "\n" in value or "\r" in value:
        return "one line, found several"
    if not value.isascii():
        return "ASCII characters only, found others"
    if not all("!" <= each <= "~" for each in value):
        return "no spaces or control characters, found some"
    if len(value) < SHORTEST:
        return f"at least {SHORTEST} characters, found {len(value)}"
    return None
