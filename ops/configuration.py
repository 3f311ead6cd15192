"""Changing a merchant's file for good: what a new one would mend, putting it in place, and telling it. Touches the
merchants' folder and the broker."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from ops.inbox import Item
from ops.kafka import Seen
from ops.producing import Outgoing, append
from schemas import topics
from schemas.codec import Codec, Undecodable
from schemas.configuration import ConfigurationChanged
from schemas.exceptions import TYPES
from schemas.kafka import Brokers
from schemas.merchant import Merchant, MerchantFileError, load
from schemas.merchant_folder import MerchantFolder
from schemas.startup import CannotStart


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Open exceptions of one kind that wait for the merchant file, and whether the change names what they are about."""

    type: str
    about: str  # the code of the location; "": the exception names none
    exceptions: int
    units: int
    named: bool


def place_of(folder: Path, merchant: str) -> Path:
    """The file of a merchant: the one that names it, else one with its name."""
    for path in sorted(folder.glob("*.toml")):
        try:
            if load(path).merchant == merchant:
                return path
        except MerchantFileError:
            continue
    return folder / f"{merchant}.toml"


def put(new: bytes, folder: Path, target: Path) -> None:
    """The file in one piece, or CannotStart and nothing: it must fit the others."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{target.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new)
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        Path(name).replace(target)
    except OSError as error:
        raise CannotStart(f"expected to write {target}, got: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def check_fits(new: bytes, folder: Path, target: Path, merchant: str) -> None:
    """Raises MerchantFileError when the merchant could not be taken up with the new file among the others. What is
    wrong with others is no matter here."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for path in folder.glob("*.toml"):
            if path != target:
                (copy / path.name).write_bytes(path.read_bytes())
        (copy / target.name).write_bytes(new)
        looked = MerchantFolder(copy)
        looked.look()
        looked.look()
    if (problem := looked.troubles.get(merchant)) is not None:
        raise MerchantFileError(problem.replace(name, str(folder)))


def waiting_for(merchant: Merchant, old: Merchant | None, items: Iterable[Item]) -> list[Waiting]:
    """What is open for this merchant and may be mended in its file."""
    found: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        raised = item.raised
        known = TYPES.get(raised.type)
        if item.state == "open" and raised.merchant == merchant.merchant and known and "map" in known.actions:
            found.setdefault((raised.type, raised.location or ""), []).append(item)
    codes = _codes(merchant) - (set() if old is None else _codes(old))
    return [
        Waiting(
            type=kind, about=about, exceptions=len(some), named=about in codes,
            units=len({(i.raised.order_id, unit) for i in some for unit in i.raised.unit_ids}),
        )
        for (kind, about), some in sorted(found.items())
    ]  # fmt: skip


def _codes(merchant: Merchant) -> set[str]:
    return {each.code for each in merchant.locations}


def tell(bootstrap: Brokers, codec: Codec, change: ConfigurationChanged) -> None:
    """Returns when Kafka has it; raises CannotStart."""
    record = Outgoing(topic=topics.CONFIGURATION_CHANGES, key=change.merchant.encode(), value=codec.encode(change))
    append(bootstrap, [record], "the record of the change")


def changes(records: Iterable[Seen], codec: Codec) -> list[ConfigurationChanged]:
    """Every change once, in order: of two that tell the same one, the one that says by whom."""
    return sorted(_once(_decoded(records, codec)), key=lambda each: each.changed_at_ms)


def _decoded(records: Iterable[Seen], codec: Codec) -> Iterator[ConfigurationChanged]:
    for seen in records:
        try:
            record = codec.decode(seen.value)
        except Undecodable:
            continue
        if isinstance(record, ConfigurationChanged):
            yield record


SAME_WITHIN_MS = 600_000


def _once(told: Iterable[ConfigurationChanged]) -> list[ConfigurationChanged]:
    found: list[ConfigurationChanged] = []
    for each in sorted(told, key=lambda one: (one.fact_id, one.changed_at_ms)):
        last = found[-1] if found else None
        if last is None or last.fact_id != each.fact_id or each.changed_at_ms - last.changed_at_ms > SAME_WITHIN_MS:
            found.append(each)
        elif each.by and not last.by:
            found[-1] = each
    return found
