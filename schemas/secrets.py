"""Secrets are named in merchant files and read here, once, by a process that starts. Reads environment and files."""

import os
from pathlib import Path

import pydantic


class SecretMissing(ValueError):
    """A reference that leads to no secret; the message names the reference, never a value."""


def resolve(reference: str) -> pydantic.SecretStr:
    """The secret behind `env:NAME` or `file:/path`; raises SecretMissing when it is absent or empty."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "")
    elif kind == "file":
        try:
            value = Path(name).read_text().strip()
        except OSError as error:
            raise SecretMissing(f"secret {reference}: the file cannot be read ({error.strerror})") from error
    else:
        raise SecretMissing(f"expected a secret reference env:NAME or file:/path, got one of kind {kind!r}")
    if not value:
        raise SecretMissing(f"secret {reference}: expected a value, found nothing")
    return pydantic.SecretStr(value)
