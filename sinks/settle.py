"""Ends commands: result or dead letter, exceptions for people. May touch Kafka and the ledger.

The order is the guarantee: (1) the effect is done or refused, (2) a refusal's dead letter is acknowledged, (3) the
ledger row is settled, (4) the result is acknowledged; only then may the record's offset be committed. A crash in
between repeats steps, it skips none.
"""

from collections.abc import Callable

import msgspec
import structlog

from schemas import exceptions, ids, topics
from schemas.codec import Codec, Undecodable
from schemas.commands import Command, CommandResult, kind_of
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from sinks import dead_letter
from sinks.ledger import effects
from sinks.ledger.claims import Settle
from sinks.ledger.ledger import Ledger
from sinks.outcomes import AlreadyApplied, Applied
from sinks.policy import DeadLetter
from sinks.publish import Publisher
from sinks.redact import redact
from sinks.telemetry import SinkTelemetry
from sinks.work import Received, Refused, Work, in_log

log = structlog.get_logger()


class Settlement:
    """The endings of one system's commands."""

    def __init__(
        self,
        *,
        system: str,
        ledger: Ledger,
        publisher: Publisher,
        codec: Codec,
        telemetry: SinkTelemetry,
        now_ms: Callable[[], int],
    ) -> None:
        self.system = system
        self._ledger = ledger
        self._publisher = publisher
        self._codec = codec
        self._telemetry = telemetry
        self._now_ms = now_ms

    async def applied(self, work: Work, outcome: Applied | AlreadyApplied, attempts: int) -> None:
        """The effect is there."""
        result = self._result(work, attempts)
        result = msgspec.structs.replace(
            result,
            outcome="applied" if isinstance(outcome, Applied) else "already_applied",
            external_ids=outcome.external_ids,
            amount=outcome.amount,
            quantity=outcome.quantity,
            detail=None if outcome.detail is None else redact(outcome.detail),
            lines=outcome.lines if isinstance(outcome, Applied) else (),
        )
        await self._end(work, result)

    async def rejected(self, work: Work, refusal: DeadLetter, attempts: int, *, reason: str) -> None:
        """The effect will not be. `reason` is the dead letter's; the refusal's code is an exception type."""
        await self._dead_letter(
            work.received, stage="apply", reason=reason, detail=refusal.detail, attempts=attempts,
            command=work.command,
        )  # fmt: skip
        result = msgspec.structs.replace(
            self._result(work, attempts), code=refusal.code, detail=redact(refusal.detail), suggested=refusal.suggested
        )
        await self._end(work, result)

    def _result(self, work: Work, attempts: int) -> CommandResult:
        command = work.command
        return CommandResult(
            command_id=command.command_id,
            merchant=command.merchant,
            system=command.system,
            order_id=command.order_id,
            rma_id=command.rma_id,
            unit_ids=command.unit_ids,
            kind=kind_of(command),
            outcome="rejected",
            settled_at_ms=self._now_ms(),
            attempts=attempts,
        )

    async def _end(self, work: Work, result: CommandResult) -> None:
        value = self._codec.encode(result)
        await self._ledger.do(
            effects.settle,
            Settle(
                command_id=result.command_id,
                outcome=result.outcome,
                external_ids=result.external_ids,
                result=value,
                attempts=result.attempts,
                now_ms=result.settled_at_ms,
            ),
        )
        await self._publish_result(result, value)
        self._count(result)
        seconds = max(0.0, (result.settled_at_ms - work.command.decided_at_ms) / 1000)
        if work.command.decided_at_ms > 0:
            self._telemetry.command_seconds.labels(self.system, result.kind).observe(seconds)
        log.info(
            "command_settled",
            system=self.system,
            merchant=result.merchant,
            command_id=result.command_id,
            order_id=result.order_id,
            rma_id=result.rma_id,
            kind=result.kind,
            outcome=result.outcome,
            code=result.code,
            attempts=result.attempts,
            seconds=round(seconds, 3),
        )

    def _count(self, result: CommandResult) -> None:
        self._telemetry.commands.labels(self.system, result.merchant, result.kind, result.outcome).inc()

    async def repeat(self, value: bytes, command: Command) -> None:
        """Publish the result of a command that ended before. One that another version wrote, and this one cannot read,
        goes to the order of the command that asks: whoever reads it there may know it."""
        try:
            result = self._codec.decode_as(CommandResult, value)
            key = ids.order_key(result.merchant, result.order_id)
        except Undecodable:
            key = ids.order_key(command.merchant, command.order_id)
        await self._publisher.publish(topics.COMMAND_RESULTS, key, value)

    async def _publish_result(self, result: CommandResult, value: bytes) -> None:
        key = ids.order_key(result.merchant, result.order_id)
        await self._publisher.publish(topics.COMMAND_RESULTS, key, value)

    async def refused(self, refused: Refused) -> None:
        """A record that is no command for us: nothing was sent, nobody waits for a result."""
        received = refused.received
        await self._dead_letter(
            received, stage="decode", reason="undecodable", detail=refused.detail, attempts=0, command=None
        )
        place = f"{received.topic}[{received.partition}]@{received.offset}"
        detail = f"{place}: {refused.detail}"
        await self._raise("undecodable", _merchant_in(received.key), place, detail, work=None, received=received)

    async def unstorable(self, work: Work, detail: str) -> None:
        """A command that the ledger cannot hold: it was not sent, and there is no row to remember that."""
        detail = f"{detail}: nothing was sent"
        await self._dead_letter(
            work.received, stage="claim", reason="unstorable", detail=detail, attempts=0,
            command=work.command,
        )  # fmt: skip
        result = msgspec.structs.replace(self._result(work, 0), code="rejected_by_system", detail=detail)
        await self._publish_result(result, self._codec.encode(result))
        self._count(result)

    async def contradicted(self, work: Work, first_result: bytes | None) -> None:
        """A command whose id belongs to one of other content. The first one's end stays what the id stands for."""
        command = work.command
        detail = (
            f"command {command.command_id} came again with other content; what came first counts, this was not sent"
        )
        await self._dead_letter(
            work.received, stage="claim", reason="contradicts", detail=detail, attempts=0, command=command
        )
        await self._raise(
            "rejected_by_system",
            command.merchant,
            f"contradicts {command.command_id}",
            detail,
            work=work,
            received=work.received,
        )
        if first_result is not None:
            await self.repeat(first_result, command)

    async def _dead_letter(
        self, received: Received, *, stage: str, reason: str, detail: str, attempts: int, command: Command | None
    ) -> None:
        command_id = "" if command is None else command.command_id
        headers = dead_letter.headers(
            received, stage=stage, reason=reason, detail=detail, attempts=attempts, now_ms=self._now_ms(),
            command_id=command_id,
        )  # fmt: skip
        await self._publisher.publish(topics.dead_letters(self.system), received.key, received.value, headers)
        self._telemetry.dead_letters.labels(self.system, reason).inc()
        log.warning(
            "dead_letter",
            system=self.system,
            reason=reason,
            **in_log(command),
            topic=received.topic,
            partition=received.partition,
            offset=received.offset,
        )

    async def _raise(
        self, kind: str, merchant: str, subject: str, detail: str, *, work: Work | None, received: Received
    ) -> None:
        """Of one record, dated by it: told again, it is the same."""
        command = None if work is None else work.command
        await self.publish_exception(
            exceptions.raised(
                kind,
                exception_id=ids.exception_id(
                    merchant=merchant, kind=kind, order_id="", rma_id="", subject=f"{self.system} {subject}"
                ),
                merchant=merchant,
                detail=redact(detail),
                at_ms=received.came_ms(self._now_ms()),
                resolvable=True,
                system=self.system,
                order_id="" if command is None else command.order_id,
                rma_id="" if command is None else command.rma_id,
                command_id=None if command is None else command.command_id,
            )
        )

    async def publish_exception(self, record: ExceptionRaised | ExceptionCleared) -> None:
        """An exception for people, opened or cleared."""
        await self._publisher.publish(topics.EXCEPTIONS, record.exception_id.encode(), self._codec.encode(record))


def _merchant_in(key: bytes | None) -> str:
    try:
        return ids.split_key(key or b"")[0]
    except (ValueError, UnicodeDecodeError):
        return ""
