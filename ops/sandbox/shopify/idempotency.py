"""The memory behind @idempotent: 24 hours from a key's first use, and the three errors it leads to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from graphql import FieldNode, OperationDefinitionNode, StringValueNode, ValueNode, VariableNode, print_ast

from ops.sandbox.shopify.values import Payload

HORIZON = timedelta(hours=24)
DIRECTIVE = "idempotent"


class Trouble(Enum):
    """Why a key does not lead to an effect, with the text Shopify gives."""

    CONCURRENT_REQUEST = "This request is currently in progress, please try again."
    KEY_PARAMETER_MISMATCH = "The same idempotency key cannot be used with different operation parameters."
    PREVIOUS_ATTEMPT_FAILED = "A previous request with this idempotency key failed. Retry with a new idempotency key."

    @property
    def code(self) -> str:
        """The error code."""
        return f"IDEMPOTENCY_{self.name}"


@dataclass(slots=True, kw_only=True, frozen=True)
class Claim:
    """The key on one field of one request. The fingerprint keeps the order in which the client sent its input."""

    key: str
    fingerprint: str
    request: object


@dataclass(slots=True, kw_only=True)
class _Entry:
    fingerprint: str
    first_at: datetime
    request: object | None
    state: str = "in flight"
    answer: Payload = field(default_factory=dict)


class KeyMemory:
    """The keys of one shop."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def begin(self, claims: list[Claim], now: datetime) -> frozenset[str]:
        """Remembers the keys that are new as in flight for this request; returns those that are in flight for
        another one."""
        self._forget(now)
        busy = frozenset(claim.key for claim in claims if self._in_flight(claim))
        for claim in claims:
            if claim.key not in self._entries:
                self._entries[claim.key] = _Entry(fingerprint=claim.fingerprint, first_at=now, request=claim.request)
        return busy

    def look(self, claim: Claim, busy: frozenset[str]) -> Payload | Trouble | None:
        """None: go ahead. Otherwise the answer of the first time, or what is wrong; `busy` is what `begin` returned."""
        entry = self._entries.get(claim.key)
        if entry is None:
            return Trouble.CONCURRENT_REQUEST  # the request that held it ended without reaching the mutation
        if entry.fingerprint != claim.fingerprint:
            return Trouble.KEY_PARAMETER_MISMATCH
        if claim.key in busy:
            return Trouble.CONCURRENT_REQUEST
        if entry.state == "in flight":
            return None
        return Trouble.PREVIOUS_ATTEMPT_FAILED if entry.state == "failed" else entry.answer

    def settle(self, claim: Claim, answer: Payload, failed: str) -> None:
        """Keeps how the first attempt ended: `failed` is "failed" or "done"."""
        entry = self._entries[claim.key]
        entry.state, entry.answer, entry.request = failed, answer, None

    def release(self, claims: list[Claim]) -> None:
        """Forgets keys of a request that ended before it came to them."""
        for claim in claims:
            entry = self._entries.get(claim.key)
            if entry and entry.state == "in flight" and entry.request is claim.request:
                del self._entries[claim.key]

    def _in_flight(self, claim: Claim) -> bool:
        entry = self._entries.get(claim.key)
        return entry is not None and entry.state == "in flight"

    def _forget(self, now: datetime) -> None:
        for key, entry in list(self._entries.items()):
            if now - entry.first_at < HORIZON:
                break
            if entry.state != "in flight":
                del self._entries[key]


def claims_of(operation: OperationDefinitionNode, variables: Mapping[str, object], request: object) -> dict[str, Claim]:
    """The keys of a request by response field; fields without one are not there."""
    found: dict[str, Claim] = {}
    for node in operation.selection_set.selections:
        if isinstance(node, FieldNode) and (key := _key(node, variables)):
            sent = {argument.name.value: _sent(argument.value, variables) for argument in node.arguments or ()}
            name = node.alias.value if node.alias else node.name.value
            found[name] = Claim(key=key, fingerprint=json.dumps([node.name.value, sent], default=str), request=request)
    return found


def _key(node: FieldNode, variables: Mapping[str, object]) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == DIRECTIVE:
            for argument in directive.arguments or ():
                value = argument.value
                raw = (
                    variables.get(value.name.value)
                    if isinstance(value, VariableNode)
                    else value.value
                    if isinstance(value, StringValueNode)
                    else None
                )
                return str(raw).strip() if raw else None
    return None


def _sent(value: ValueNode, variables: Mapping[str, object]) -> object:
    return variables.get(value.name.value) if isinstance(value, VariableNode) else print_ast(value)
