"""Which of the effects seen on a system are our own, and how far each decision has come."""

from collections.abc import Iterable

import msgspec

from streams.domain.decided import Booking, Decision, Marking, Money, Paying, Restocking
from streams.domain.echoes import told_once
from streams.domain.learnt import Answer, Effect, Learnt, Result
from streams.domain.rounding import open_end
from streams.domain.seat import Track


class Own(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Our decisions beside what was seen of them."""

    learnt: Learnt
    restocks: tuple[Restocking, ...]
    payments: tuple[Money, ...]
    bookings: tuple[Booking, ...]
    marks: dict[tuple[str, str], int]  # how often each (RMA, subject) was marked
    marked: dict[str, Effect]  # effect that carries a command's mark, or whose id its result names
    foreign: tuple[Effect, ...]  # by time
    payments_of: dict[str, list[Money]] = {}  # by return

    def plus(self, payments: Iterable[Money] = (), bookings: Iterable[Booking] = ()) -> "Own":
        """The same with more decisions."""
        paid = (*self.payments, *payments)
        return msgspec.structs.replace(
            self, payments=paid, payments_of=_by_rma(paid), bookings=(*self.bookings, *bookings)
        )

    @property
    def names(self) -> set[str]:
        """What the systems call what we did, as far as a mark of ours or a result tells it."""
        told = {v for r in self.learnt.results.values() for value in r.external_ids.values() for v in value.split(",")}
        return told | {e.external_id for e in self.marked.values()}

    def track(self, decision: Money) -> Track:
        """Open until a result says applied or refused; an effect with its mark is applied, whatever the result says,
        unless it is a refund whose money did not move: such a refund exists and pays nothing."""
        result = self.learnt.results.get(decision.decision_id)
        effect = self.marked.get(decision.decision_id)
        if effect is not None and (not isinstance(decision, Paying) or effect.total_minor >= _least(decision)):
            return "applied"
        if result is None:
            return "open"
        return "refused" if result.outcome == "rejected" else "applied"

    def seen(self, decision: Money) -> tuple[Result | None, Effect | None]:
        """Its result and the effect with its mark, as far as they are there."""
        return self.learnt.results.get(decision.decision_id), self.marked.get(decision.decision_id)

    def tax(self, decision: Money) -> int | None:
        """The tax of a payment as the system that paid it has it."""
        return next((e.tax_minor for e in self.seen(decision) if e is not None and e.tax_minor is not None), None)

    def refund_id(self, decision: Money) -> str | None:
        """What the system that paid calls the refund; a till makes a new sale of it (MON-5)."""
        result, effect = self.seen(decision)
        named = {} if result is None else result.external_ids
        return named.get("refund_id") or named.get("sale_id") or (None if effect is None else effect.external_id)

    def restocked(self, decision: Restocking) -> tuple[Track, Result | None, Answer | None]:
        """As `track`, through the stock agent's answer, with the result that decides it: a rejected one, else the
        first."""
        answer = self.learnt.answers.get(decision.decision_id)
        first, missing = None, False
        for command_id in command_ids(decision, answer):
            result = self.learnt.results.get(command_id)
            if result is None:
                missing = True
            elif result.outcome == "rejected":
                return "refused", result, answer
            else:
                first = first or result
        if not missing:
            return "applied", first, answer
        return "refused" if answer is not None and answer.verdict == "impossible" else "open", first, answer


def _least(decision: Paying) -> int:
    """What is paid at least; a refund of less exists, and its money did not move."""
    return max(decision.amount_minor - open_end(decision.shares), min(decision.amount_minor, 1))


def command_ids(decision: Restocking, answer: Answer | None) -> tuple[str, ...]:
    """The commands that an intent became: a bundle's several; one command has the intent's own id."""
    return answer.command_ids if answer is not None and answer.command_ids else (decision.decision_id,)


def tell_apart(learnt: Learnt, decided: dict[str, Decision]) -> Own:
    """Sorts effects into ours and foreign: by the mark they carry, else by the ids that our results name."""
    restocks: list[Restocking] = []
    payments: list[Money] = []
    bookings: list[Booking] = []
    marks: dict[tuple[str, str], int] = {}
    for decision in decided.values():
        if isinstance(decision, Marking):
            subject = (decision.rma_id, decision.subject)
            marks[subject] = marks.get(subject, 0) + 1
        elif isinstance(decision, Restocking):
            restocks.append(decision)
        elif isinstance(decision, Booking):
            bookings.append(decision)
        else:
            payments.append(decision)
    marked, foreign = _effects(learnt) if learnt.effects else ({}, ())
    return Own(
        learnt=learnt, restocks=tuple(restocks), payments=tuple(payments), bookings=tuple(bookings),
        marks=marks, marked=marked, foreign=foreign, payments_of=_by_rma(payments),
    )  # fmt: skip


def _by_rma(payments: Iterable[Money]) -> dict[str, list[Money]]:
    found: dict[str, list[Money]] = {}
    for payment in payments:
        found.setdefault(payment.rma_id, []).append(payment)
    return found


def _effects(learnt: Learnt) -> tuple[dict[str, Effect], tuple[Effect, ...]]:
    named = {
        external: command
        for command, result in learnt.results.items()
        for value in result.external_ids.values()
        for external in value.split(",")
    }
    marked: dict[str, Effect] = {}
    foreign = []
    # what a result names is ours before anything else that carries the same mark
    for effect in sorted(learnt.effects.values(), key=lambda e: (e.external_id not in named, *_by_time(e))):
        command = effect.command_id or named.get(effect.external_id)
        if command is None or (effect.external_id not in named and _twice(effect, marked.get(command))):
            foreign.append(effect)
        else:
            marked[command] = effect
    foreign.sort(key=_by_time)
    return marked, told_once(foreign, marked.values(), learnt.order)


def _by_time(effect: Effect) -> tuple[int, str, str]:
    return effect.stamp.at_ms, effect.kind, effect.external_id


def _twice(effect: Effect, other: Effect | None) -> bool:
    """Money that moved once more under the mark of one command: whoever did that, it is none of what was decided."""
    return other is not None and effect.kind == other.kind != "restock" and effect.system == other.system
