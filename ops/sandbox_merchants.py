"""The merchants of a folder as a sandbox plays them: each file with the sandbox's addresses and with secrets that are
made up, so that no request and no real secret leaves this machine. Looked at again and again while everything runs.

Touches files and the sandbox's control door.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import tomli_w

from ops.sandbox_shop import open_shop
from ops.secret_references import secrets_of
from ops.up import Addresses
from schemas.merchant import Merchant, MerchantFileError, parse
from schemas.secrets import FOLDER

SECRETS, MERCHANTS = "secrets", "merchants"


class Played:
    """`folder` is what the processes read instead of `source`; `variables` tell them where the secrets are."""

    def __init__(self, source: Path, data: Path, addresses: Addresses) -> None:
        self.folder = data / MERCHANTS
        self._source, self._secrets, self._addresses = source, (data / SECRETS).absolute(), addresses
        self._seen: dict[Path, bytes] = {}
        self._taken: dict[Path, bytes] = {}
        self._shops: set[str] = set()
        for each in (self.folder, self._secrets):
            each.mkdir(parents=True, exist_ok=True)

    @property
    def variables(self) -> dict[str, str]:
        return {FOLDER: str(self._secrets)}

    def open(self) -> list[tuple[str, str]]:
        """Take up every file as it is now; what there is to say, each with its merchant."""
        self._seen = self._read()
        return self.look()

    def open_again(self) -> list[tuple[str, str]]:
        """The same after the sandbox was started again, which has forgotten everything."""
        self._taken.clear()
        self._shops.clear()
        return [
            ("sandbox", "started again: what was sold and returned is forgotten, shops are opened anew"),
            *self.open(),
        ]

    def look(self) -> list[tuple[str, str]]:
        """The same for what changed. A file that is being written counts when two looks have seen the same."""
        before, self._seen = self._seen, self._read()
        changed = [p for p, content in self._seen.items() if before.get(p) == content != self._taken.get(p)]
        said = [word for path in changed for word in self._take_up(path, self._seen[path])]
        for path in self._taken.keys() - self._seen.keys() - before.keys():
            del self._taken[path]
            (self.folder / path.name).unlink(missing_ok=True)
            said.append((path.stem, f"{path} is gone"))
        return said

    def _read(self) -> dict[Path, bytes]:
        found = {}
        for path in sorted(self._source.glob("*.toml")):
            try:
                found[path] = path.read_bytes()
            except OSError:  # gone meanwhile, or unreadable: the check at the start says so
                continue
        return found

    def _take_up(self, path: Path, content: bytes) -> Iterator[tuple[str, str]]:
        self._taken[path] = content
        try:
            merchant = parse(path, content)
        except MerchantFileError as problem:
            for line in str(problem).split("\n"):
                yield path.stem, f"misconfigured, the others go on: {line}"
            return
        shop = merchant.systems.shopify
        if shop is None:
            yield merchant.merchant, f"cannot be played: {path} has no [systems.shopify]"
            return
        text = tomli_w.dumps(self._at_the_sandbox(tomllib.loads(content.decode("utf-8-sig"))))
        played = parse(self.folder / path.name, text.encode())
        self._make_secrets(merchant)
        if shop.shop not in self._shops:
            try:
                open_shop(self._addresses.sandbox_port, played, _secret)
            except httpx.HTTPStatusError as problem:
                yield (
                    merchant.merchant,
                    f"cannot be played: the sandbox refuses its shop: {problem.response.text[:200]}",
                )
                return
            except httpx.TransportError:  # it is being started again: the next look tries anew
                del self._taken[path]
                return
            self._shops.add(shop.shop)
        _write(self.folder / path.name, text)
        yield merchant.merchant, f"played by the sandbox as {shop.shop}"

    def _at_the_sandbox(self, told: dict[str, Any]) -> dict[str, Any]:
        systems = told["systems"]
        shop = systems["shopify"]["shop"]
        there = {"webhook_url": self._addresses.gateway_url}
        systems["shopify"] |= there | {"base_url": f"{self._addresses.sandbox_url}/shopify/{shop}"}
        if "returngo" in systems:
            systems["returngo"] |= there | {"base_url": f"{self._addresses.sandbox_url}/returngo", "shop": shop}
        return {**told, "systems": self._referring(systems)}

    def _referring(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._referring(each) for key, each in value.items()}
            case list():
                return [self._referring(each) for each in value]
            case str() if value.startswith(("env:", "file:")):
                return f"file:{self._place(value)}"
            case _:
                return value

    def _place(self, reference: str) -> Path:
        return self._secrets / re.sub(r"[^A-Za-z0-9_.-]", "_", reference.partition(":")[2]).strip("_")

    def _make_secrets(self, merchant: Merchant) -> None:
        """Of characters that are good for an address, and base64 as Standard Webhooks want it."""
        for place in map(self._place, secrets_of(merchant)):
            if not place.exists():
                _write(place, secrets.token_hex(24))


def _secret(reference: str) -> str:
    return Path(reference.removeprefix("file:")).read_text(encoding="ascii")


def _write(path: Path, text: str) -> None:
    """In one piece: processes look at it at any time."""
    part = path.with_name(f".{path.name}.part")
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105
