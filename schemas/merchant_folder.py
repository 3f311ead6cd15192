"""The merchant files of a process, looked at again and again while it runs. Reads files.

A file counts as a whole or not at all. What is wrong with one concerns its merchant alone, who goes on with what the
file said last; everybody else goes on in any case. A merchant whose file is gone is gone, as if the process had started
without it; when there is no file left at all, that is a fault of the folder, and what the files said stays in force.
"""

import os
import re
import threading
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from schemas import merchant_checks as checks
from schemas.merchant import Merchant, MerchantFileError, parse

AT_MOST_EVERY_SECONDS = 1.0
GONE_AFTER_SECONDS = 5.0  # moved away and back is no removal
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")


class MerchantFolder:
    """`merchants` is changed in place, so whoever holds it decides by what the files say now.

    `troubles`: by merchant, what is wrong with its file, with file and key, in words for people.
    """

    def __init__(self, path: Path, gone_after_seconds: float | None = None) -> None:
        """`gone_after_seconds`: how long a file must have been away, else GONE_AFTER_SECONDS."""
        self.path = path
        self._gone_after_seconds = GONE_AFTER_SECONDS if gone_after_seconds is None else gone_after_seconds
        self.merchants: dict[str, Merchant] = {}
        self.troubles: dict[str, str] = {}
        self._gone: dict[str, float] = {}  # those who had a file and have none, and since when
        self._named: dict[Path, str] = {}  # whose file it was when it was last sound
        self._seen: Mapping[Path, bytes | str] = {}
        self._taken: Mapping[Path, bytes | str] | None = None
        self._changed: set[str] = set()
        self._asked_at = -AT_MOST_EVERY_SECONDS
        self._turn = threading.Lock()

    @classmethod
    def opened(cls, path: Path, gone_after_seconds: float | None = None) -> "MerchantFolder":
        """The folder as it is now; raises MerchantFileError when no merchant of it is usable."""
        folder = cls(path, gone_after_seconds)
        folder._seen = folder._read()
        folder.look()
        if not folder.merchants:
            none = f"{path}: expected at least one merchant file *.toml, found none"
            raise MerchantFileError("\n".join(folder.troubles.values()) or none)
        return folder

    @classmethod
    def fixed(cls, merchants: Mapping[str, Merchant]) -> "MerchantFolder":
        """These merchants, whatever lies in any folder."""
        folder = cls(Path(os.devnull))
        folder.merchants.update(merchants)
        folder._taken = {}
        return folder

    def look(self) -> frozenset[str]:
        """Merchants whose rules are new or others since the last look. Call it about every second.

        A file that is being written may be read half-way: what is seen counts when the next look sees the same.
        """
        with self._turn:
            before, self._seen = self._seen, self._read()
            if self._seen == before:
                self._take_up()
            changed, self._changed = self._changed, set()
        return frozenset(changed)

    def look_now(self) -> None:
        """For who is asked about a merchant that it does not know: another process may have seen the file first, and
        what it saw twice is whole. Looks at most once a second; the next `look` tells what has changed."""
        with self._turn:
            if time.monotonic() - self._asked_at > AT_MOST_EVERY_SECONDS:
                self._asked_at = time.monotonic()
                self._seen = self._read()
                self._take_up()

    def placed(self, troubles: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with what files say, each line with the file that says it."""
        files = {name: path for path, name in self._named.items()}
        return {
            name: "\n".join(f"{files.get(name, self.path)}: {line}" for line in trouble.split("\n"))
            for name, trouble in troubles.items()
        }

    def _read(self) -> dict[Path, bytes | str]:
        """The content of each file, or why it cannot be read."""
        found: dict[Path, bytes | str] = {}
        for path in sorted(self.path.glob("*.toml")):
            try:
                found[path] = path.read_bytes()
            except OSError as error:
                found[path] = f"{path}: cannot be read ({error.strerror})"
        return found

    def _take_up(self) -> None:
        if self._seen != self._taken:
            self._taken = self._seen
            self._take_in()
        if self._seen:
            for name, since in self._gone.items():
                if time.monotonic() - since >= self._gone_after_seconds:
                    self.merchants.pop(name, None)

    def _take_in(self) -> None:
        sound, troubles = self._sorted_out(self._seen)
        for name, problem in checks.budgets({n: each.systems.returngo for n, each in sound.items()}).items():
            troubles[name] = f"{self.path}: {problem}"
            del sound[name]
        gone = (self.merchants.keys() | self._gone.keys()) - sound.keys() - troubles.keys()
        self._gone = {name: self._gone.get(name, time.monotonic()) for name in gone}
        troubles |= {name: self._told_of_gone(name) for name in gone}
        changed = {n for n, each in sound.items() if n not in self.merchants or self.merchants[n].digest != each.digest}
        self.merchants.update({name: sound[name] for name in changed})
        self.troubles = troubles
        self._changed |= changed

    def _told_of_gone(self, name: str) -> str:
        if not self._seen:
            return (
                f"{self.path}: there is no merchant file left. What they said holds until there is one, or a restart."
            )
        return (
            f"{self.path}: the file of merchant {name} is gone. Nothing is read, decided or applied for it any more: "
            "its webhooks are refused, its commands wait, its facts are kept as dead letters. Put it back to go on."
        )

    def _sorted_out(self, contents: Mapping[Path, bytes | str]) -> tuple[dict[str, Merchant], dict[str, str]]:
        sound: dict[str, Merchant] = {}
        troubles: dict[str, str] = {}
        whose: dict[str, Path] = {}
        for path, content in contents.items():
            try:
                merchant = _parsed(path, content)
            except MerchantFileError as problem:
                name = _name_in(content) or self._named.get(path, path.stem)
                troubles[name] = "\n".join(filter(None, (troubles.get(name), str(problem))))
                continue
            name = merchant.merchant
            self._named[path] = name
            if name in whose:
                troubles[name] = f"{path}: merchant {name!r} is already in {whose[name]}; nobody can say which counts"
            whose.setdefault(name, path)
            sound[name] = merchant
        return {name: each for name, each in sound.items() if name not in troubles}, troubles


def _parsed(path: Path, content: bytes | str) -> Merchant:
    if isinstance(content, str):
        raise MerchantFileError(content)
    return parse(path, content)


def _name_in(content: bytes | str) -> str | None:
    """The merchant that a file with other faults names."""
    if isinstance(content, bytes):
        with suppress(UnicodeDecodeError, tomllib.TOMLDecodeError):
            named = tomllib.loads(content.decode("utf-8-sig")).get("merchant")
            if isinstance(named, str) and _NAME.fullmatch(named):
                return named
    return None
