"""What a worker shows of its state, once per tick. May touch the ledger."""

import msgspec
from sqlalchemy import Connection

from sinks.contract import LEFT_OUT, Limit
from sinks.ledger import budgets, parking, quotas
from sinks.ledger.budgets import Budget
from sinks.ledger.holds import HELD
from sinks.ledger.parking import Standing
from sinks.parts import Parts
from sinks.telemetry import BudgetTelemetry, SinkTelemetry


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a merchant's quota."""

    merchant: str
    limit: Limit
    left: float


async def measure(parts: Parts, now_ms: int) -> None:
    """Set every gauge of the worker."""
    system = parts.transport.system.name
    limits = [(merchant, limit) for merchant in parts.transport.merchants for limit in parts.transport.limits(merchant)]

    by_merchant = {merchant: parts.transport.limits(merchant) for merchant in parts.transport.merchants}

    def look(connection: Connection) -> tuple[list[Standing], list[Quota], list[Budget]]:
        left = [
            Quota(
                merchant=merchant,
                limit=limit,
                left=quotas.remaining(connection, merchant=merchant, system=system, limit=limit, now_ms=now_ms),
            )
            for merchant, limit in limits
        ]
        lasting = [
            budgets.budget(connection, system, owner, limit, merchants, now_ms)
            for owner, (limit, merchants) in budgets.owners(by_merchant).items()
        ]
        return parking.standing(connection, system), left, lasting

    standing, left, lasting = await parts.ledger.run(look)
    for each_budget in lasting:
        _show_budget(parts.telemetry.budgets, each_budget)
    _show_parked(parts.telemetry, system, standing)
    for merchant in by_merchant:  # at 0 where nothing is paused or parked: an absent series alerts nobody
        parts.telemetry.paused.labels(system, merchant)
        parts.telemetry.held.labels(system, merchant)
        parts.telemetry.parked.labels(system, merchant, "failing")
        parts.telemetry.parked_lanes.labels(system, merchant, "failing")
    for each in left:
        labels = (system, each.merchant, each.limit.name)
        parts.telemetry.requests.quota_remaining.labels(*labels).set(each.left)
        parts.telemetry.requests.quota_capacity.labels(*labels).set(each.limit.capacity)
    # what was left out waits on purpose, until the day has calls for it; what a person holds, until the person resumes
    waits = [each.oldest_ms for each in standing if each.reason not in (LEFT_OUT, HELD)]
    _show_memory(parts, system, waits, now_ms)


def _show_budget(telemetry: BudgetTelemetry, budget: Budget) -> None:
    labels = (budget.system, budget.owner)
    telemetry.ends.labels(*labels).set((budget.resets_ms if budget.ends_ms is None else budget.ends_ms) / 1000)
    telemetry.resets.labels(*labels).set(budget.resets_ms / 1000)
    for what, count in budget.waiting.items():
        telemetry.waiting.labels(*labels, what).set(count)


def _show_parked(telemetry: SinkTelemetry, system: str, standing: list[Standing]) -> None:
    telemetry.parked.clear()
    telemetry.parked_lanes.clear()
    for each in standing:
        telemetry.parked.labels(system, each.merchant, each.reason).set(each.commands)
        telemetry.parked_lanes.labels(system, each.merchant, each.reason).set(each.lanes)


def _show_memory(parts: Parts, system: str, parked_ms: list[int], now_ms: int) -> None:
    telemetry, assignment = parts.telemetry, parts.intake.current
    running, buffered, times = 0, 0, list(parked_ms)
    if assignment is not None:
        running, buffered = assignment.lanes.running, len(assignment.lanes)
        times += [] if assignment.oldest_ms is None else [assignment.oldest_ms]
    telemetry.in_flight.labels(system).set(running + parts.redriver.running)
    telemetry.buffered.labels(system).set(buffered)
    oldest = min(times, default=now_ms)
    telemetry.oldest.labels(system).set(max(0.0, (now_ms - oldest) / 1000))
