"""Ids derived from content: the same decision or fact has the same id live, in a replay, after a crash, anywhere."""

import uuid
from collections.abc import Iterable
from hashlib import blake2b, sha1

import msgspec

from schemas.sku import meant

# Fixed for ever: another namespace would give every command a new identity and so a second effect.
NAMESPACE = uuid.UUID("6f2b6a0e-5d0c-5b8e-9f3a-3f1c7f0d9a51")


def command_id(*, merchant: str, system: str, kind: str, rma_id: str, unit_ids: Iterable[str], generation: int) -> str:
    """Identity of one effect. `generation` rises only when a second, different effect is ordered on purpose."""
    units = ",".join(sorted(unit_ids))
    return _uuid5("command", merchant, system, kind, rma_id, units, str(generation))


def exception_id(*, merchant: str, kind: str, order_id: str, rma_id: str, subject: str) -> str:
    """Identity of one cause: merchant, type, order, RMA and what it is about (line, unit, SKU, command)."""
    return _uuid5("exception", merchant, kind, order_id, rma_id, subject)


def fact_id(system: str, resource: str, *content: str) -> str:
    """Identity of one fact: the same content read twice is the same fact."""
    return _uuid5("fact", system, resource, *content)


def step_id(*parts: str) -> str:
    """Identity of one step of a case's history; there are several for each fact, and no system ever sees it."""
    return blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()


def idempotency_key(*, merchant: str, command_id: str, epoch: int) -> str:
    """Key handed to a system that de-duplicates; `epoch` rises only when that system demands a new key."""
    return _uuid5("idempotency", merchant, command_id, str(epoch))


def digest(body: bytes) -> str:
    """Short content hash of raw bytes, for duplicate detection."""
    return blake2b(body, digest_size=16).hexdigest()


def order_key(merchant: str, order_id: str) -> bytes:
    """Kafka key of everything about one order."""
    return f"{merchant}|{order_id}".encode()


def item_key(merchant: str, system: str, item_id: str) -> bytes:
    """Kafka key of everything about one item: a system's own id is what it is."""
    return f"{merchant}|{system}:{item_id}".encode()


def sku_key(merchant: str, sku: str) -> bytes:
    """Kafka key of what a SKU finds, in whatever spelling."""
    return f"{merchant}|sku:{meant(sku)}".encode()


def variant_key(merchant: str, system: str, variant_id: str) -> bytes:
    """Kafka key of what a variant id finds, where there is no SKU."""
    return f"{merchant}|{system}:variant:{variant_id}".encode()


def split_key(key: bytes) -> tuple[str, str]:
    """`merchant|order` or `merchant|item` back to its parts; raises ValueError if it is not such a key."""
    merchant, bar, rest = key.decode().partition("|")
    if not (merchant and bar and rest):
        raise ValueError(f"expected a key merchant|order or merchant|item, got {key!r}")
    return merchant, rest


_NAMESPACE = NAMESPACE.bytes
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def _uuid5(*parts: str) -> str:
    """As `str(uuid.uuid5(NAMESPACE, …))`, without making an object of it: ids are made several times per fact."""
    # A part may hold the separator itself; its length in front keeps two different lists apart.
    name = "|".join([f"{len(part)}:{part}" for part in parts])
    d = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{d[:8]}-{d[8:12]}-5{d[13:16]}-{_VARIANT[d[16]]}{d[17:20]}-{d[20:32]}"
