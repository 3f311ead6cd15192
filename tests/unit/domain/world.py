"""Both decision functions joined as the topics join them: intents go to the stock agent, its verdicts come back."""

from collections import deque

from schemas.codec import Codec
from schemas.commands import Annotate, Command, CommandOutcome, CommandResult, Restock, kind_of
from schemas.merchant import Merchant
from schemas.money import Money
from schemas.stock import RestockIntent, RestockVerdict, StockItem, row_key
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.output import Output
from streams.domain.standing import Standing
from streams.domain.state import Case
from streams.domain.stock import Item, StockFact, decide_stock
from tests.unit.domain.goods import found_by_sku
from tests.unit.domain.judged import surveyed

CODEC = Codec()
CaseFact = Fact
AnyFact = CaseFact | StockFact


class World:
    """One order and the items of its returns, each found by its SKU, too. `outputs` is everything that was ever
    emitted, by either agent; `fed` is what was given to either, in that order."""

    def __init__(self, rules: Merchant) -> None:
        self.rules = rules
        self.case: Case | None = None
        self.items: dict[str, Item] = {}
        self.outputs: list[Output] = []
        self.fed: tuple[AnyFact, ...] = ()
        self.commands: dict[str, Command] = {}
        self.settled: set[str] = set()

    def fork(self) -> "World":
        """A world that shares the past and goes its own way from here; what it emits is its own."""
        new = World(self.rules)
        new.case, new.items, new.fed = self.case, dict(self.items), self.fed
        new.commands, new.settled = dict(self.commands), set(self.settled)
        return new

    def feed(self, fact: AnyFact) -> list[Output]:
        """Everything that follows of one fact until both agents are quiet."""
        waiting = deque([fact, found_by_sku(fact)] if isinstance(fact, StockItem) and fact.item_id else [fact])
        made: list[Output] = []
        while waiting:
            for output in self._decide(waiting.popleft()):
                made.append(output)
                if isinstance(output.record, RestockIntent | RestockVerdict):
                    waiting.append(output.record)
        for output in made:
            CODEC.encode(output.record)  # what does not fit its schema could never be sent
            if isinstance(output.record, Command):
                self.commands[output.record.command_id] = output.record
        self.outputs += made
        return made

    def _decide(self, fact: AnyFact) -> list[Output]:
        self.fed = (*self.fed, fact)
        if isinstance(fact, StockFact):
            key = row_key(fact).decode()
            self.items[key], made = decide_stock(self.items.get(key), fact, self.rules)
            return made
        if isinstance(fact, CommandResult):
            self.settled.add(fact.command_id)
        self.case, made = decide_case(self.case, fact, self.rules)
        return made

    def pending(self, kind: str) -> list[Command]:
        """Commands of a kind that have no result yet, in the order in which they were first emitted."""
        return [c for c in self.commands.values() if kind_of(c) == kind and c.command_id not in self.settled]

    def standings(self) -> tuple[Standing, ...]:
        """Where each unit stands."""
        if self.case is None:
            return ()
        return surveyed(self.case, self.rules).standings

    def acknowledge_marks(self, at_ms: int) -> None:
        """Marks for people were left as ordered; they move neither stock nor money."""
        for command in self.pending("annotate"):
            self.feed(settled(command, at_ms=at_ms))


def settled(
    command: Command, outcome: CommandOutcome = "applied", *, at_ms: int, code: str | None = None,
    external_ids: dict[str, str] | None = None,
) -> CommandResult:  # fmt: skip
    """The result of a command by the system that it went to."""
    amount = getattr(command, "amount_minor", None)
    return CommandResult(
        command_id=command.command_id, merchant=command.merchant, system=command.system, order_id=command.order_id,
        rma_id=command.rma_id, unit_ids=command.unit_ids, kind=kind_of(command), outcome=outcome, settled_at_ms=at_ms,
        attempts=1, code=code, external_ids=external_ids or {},
        amount=None if amount is None or outcome == "rejected" else Money(minor=amount, currency=_currency(command)),
        quantity=command.quantity if isinstance(command, Restock) else None,
    )  # fmt: skip


def _currency(command: Command) -> str:
    return "" if isinstance(command, Restock | Annotate) else command.currency
