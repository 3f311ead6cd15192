"""A disk without room, recognised in whatever a library makes of it, and told so that a person can act. Asks the file
system how much is free."""

import errno
import shutil
import sqlite3
from pathlib import Path

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
# What SQLite says when a file of its journal cannot grow; it says so of other faults, too.
_MAY_BE = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
LEAST_BYTES = 65_536
MEGABYTE = 1_000_000


def no_room(error: BaseException, where: Path) -> bool:
    """Whether an error means that the disk of `where` is full."""
    found = getattr(error, "orig", None) or error  # SQLAlchemy wraps
    if isinstance(found, OSError):
        return found.errno in _NO_ROOM
    if isinstance(found, sqlite3.Error):
        code = getattr(found, "sqlite_errorcode", 0) & 0xFF
        return code == sqlite3.SQLITE_FULL or (code in _MAY_BE and _free(where) < LEAST_BYTES)
    return "No space left on device" in str(found)  # RocksDB tells its errors as texts


def told(where: Path, setting: str) -> str:
    """Which disk it is and what to do; `setting` names what is kept there."""
    folder = _existing(where)
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        room = ""
    else:
        room = f", {usage.free // MEGABYTE} of {usage.total // MEGABYTE} MB free"
    return (
        f"the disk that holds {where} is full (mounted at {_mount(folder)}{room}). Make room there, or move what is "
        f"kept there ({setting}). Nothing is lost: what was under way is done again."
    )


def _free(where: Path) -> int:
    try:
        return shutil.disk_usage(_existing(where)).free
    except OSError:
        return LEAST_BYTES


def _existing(where: Path) -> Path:
    found = where.absolute()
    while not found.exists() and found != found.parent:
        found = found.parent
    return found


def _mount(folder: Path) -> Path:
    while not folder.is_mount() and folder != folder.parent:
        folder = folder.parent
    return folder
