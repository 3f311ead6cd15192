"""Small files by which a running `up` tells other terminals and programs how it stands. Touches the file system and the
process table."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


def put(path: Path, value: object) -> None:
    """As JSON, in one piece: whoever reads it meanwhile reads the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
    new.replace(path)


def of_living(path: Path, kind: type[T], pid: Callable[[T], int]) -> T | None:
    """What the process with that id says; None: nothing, or it was killed and left its file behind."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
    try:
        os.kill(pid(found), 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # somebody else's, and alive
        pass
    return found
