"""Faults on demand: what goes wrong, for which calls or webhooks, how often. Plans are used up in the order they
were made."""

import random
from dataclasses import dataclass

import msgspec

# Statuses that no manual lists and proxies, edges and load balancers send all the same: before anything ran …
STRAY = (402, 406, 408, 409, 410, 418, 422, 423, 425, 430, 431, 451, 499, *range(520, 531))
# … and after it did.
AFTER_ALL = (408, 409, 499, 500, 502, 503, 504, 520, 524)
CALL_FAULTS = frozenset(
    [
        "timeout_before_apply",
        "timeout_after_apply",
        "lost_before_apply",
        "lost_after_apply",
        "expired_token",
        "throttled",
        "timeout_late_apply",
        "unknown_error",
        "unknown_error_after_apply",
        "slow",
        "internal_error",
        "access_denied",
        "service_unavailable",
        "refund_pending",
        "refund_failure",
        "quota_exhausted",
        "malformed",
        "401",
        "403",
        "404",
        "429",
        "500",
        "502",
        "503",
        "504",
        *map(str, STRAY),
        *(f"{status}_after_apply" for status in AFTER_ALL),
    ]
)
WEBHOOK_FAULTS = frozenset(["drop_webhook", "duplicate_webhook", "delay_webhook", "reorder_webhook"])


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls: system shopify, returngo or webhook; an operation, topic or event name; a shop's domain. None
    matches all."""

    system: str | None = None
    operation: str | None = None
    shop: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`times` None: until removed. `skip`: so many matching calls pass first. `seconds`: how long it takes where
    that means something; for `timeout_late_apply` the sandbox's time until what was asked for happens all the same."""

    fault: str
    match: Match = Match()
    times: int | None = 1
    probability: float = 1.0
    seconds: float | None = None
    skip: int = 0


@dataclass(slots=True, kw_only=True)
class Armed:
    """A plan with what is left of it."""

    id: int
    plan: Plan
    left: int | None
    skip: int


class Faults:
    """The plans in force."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._armed: list[Armed] = []
        self._last = 0

    def add(self, plan: Plan) -> int:
        """Arms a plan and returns its id; an unknown kind is a ValueError."""
        if plan.fault not in CALL_FAULTS | WEBHOOK_FAULTS:
            raise ValueError(f"unknown fault {plan.fault!r}; known: {', '.join(sorted(CALL_FAULTS | WEBHOOK_FAULTS))}")
        self._last += 1
        self._armed.append(Armed(id=self._last, plan=plan, left=plan.times, skip=plan.skip))
        return self._last

    def remove(self, fault_id: int | None) -> int:
        """Removes one plan, or all; returns how many went."""
        kept = [] if fault_id is None else [armed for armed in self._armed if armed.id != fault_id]
        gone, self._armed = len(self._armed) - len(kept), kept
        return gone

    def listed(self) -> list[dict[str, object]]:
        """What is armed, with what is left."""
        return [{"id": armed.id, "left": armed.left, **msgspec.to_builtins(armed.plan)} for armed in self._armed]

    def take_for_call(self, system: str, operations: list[str], shop: str) -> Plan | None:
        """The fault that hits this call, if one does; it is used up by asking."""
        return self._take(CALL_FAULTS, (system,), operations, shop)

    def take_for_webhook(self, system: str, topic: str, shop: str) -> Plan | None:
        """The fault that hits this webhook, if one does; it is used up by asking."""
        return self._take(WEBHOOK_FAULTS, (system, "webhook"), [topic], shop)

    def _take(self, kinds: frozenset[str], systems: tuple[str, ...], operations: list[str], shop: str) -> Plan | None:
        for armed in self._armed:
            if armed.plan.fault in kinds and _hits(armed.plan.match, systems, operations, shop) and self._due(armed):
                self._spend(armed)
                return armed.plan
        return None

    def _due(self, armed: Armed) -> bool:
        if armed.skip > 0:
            armed.skip -= 1
            return False
        return armed.plan.probability >= 1.0 or self._random.random() < armed.plan.probability

    def _spend(self, armed: Armed) -> None:
        if armed.left is not None:
            armed.left -= 1
            if armed.left <= 0:
                self._armed.remove(armed)


def _hits(match: Match, systems: tuple[str, ...], operations: list[str], shop: str) -> bool:
    return (
        (match.system is None or match.system in systems)
        and (match.operation is None or match.operation in operations)
        and match.shop in (None, shop)
    )
