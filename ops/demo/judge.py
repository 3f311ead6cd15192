"""What happened against what should have, and our own records against the shop's books. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from ops.demo.books import Books, Moved, OrderNow, Paid
from ops.demo.records import Records
from ops.demo.story import End, Story
from schemas.commands import CommandResult, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionRaised
from schemas.money import parse
from sinks.systems.shopify import marks

MERCHANTS_TAGS = "return-"
COUNTED = ("SUCCESS", "PENDING")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one return ended. `wrong` says what differs from its expected end."""

    story: Story
    rmas: tuple[str, ...]
    moved: dict[str, int]
    paid: tuple[str, ...]
    open: tuple[ExceptionRaised, ...]
    tags: tuple[str, ...]
    settled_ms: int | None  # when the last restock or payment of ours was settled
    wrong: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found. Good when no return is wrong and nothing is lost or doubled."""

    outcomes: tuple[Outcome, ...]
    effects: int  # restocks, payments and credits in the books that are ours
    lost: tuple[str, ...]
    doubled: tuple[str, ...]

    @property
    def wrong(self) -> tuple[str, ...]:
        return tuple(f"{o.story.name}: {what}" for o in self.outcomes for what in o.wrong)

    @property
    def good(self) -> bool:
        return not (self.wrong or self.lost or self.doubled)


def judge(stories: tuple[Story, ...], rmas: dict[str, list[str]], books: Books, records: Records) -> Verdict:
    """Every story against its end, every command of ours against the books, every entry of the books against us."""
    orders = {str(now.id): name for name, now in books.orders.items()}
    ours = Ours(books, records)
    moves: dict[str | None, list[Moved]] = defaultdict(list)
    for move in _stock(books):
        moves[move.order or orders.get(ours.order_of(ours.restock_of(move)))].append(move)
    paid: dict[str | None, list[Paid]] = defaultdict(list)
    for out in _money(books):
        paid[out.order or orders.get(ours.order_of(marks.command_in(out.note)))].append(out)
    known = {story.order["name"] for story in stories}
    strays = [
        f"stock that belongs to no return moved: {_place(m)} {m.delta:+d}"
        for k in moves.keys() - known
        for m in moves[k]
    ]
    strays += [f"money that belongs to no return left: {_worth(p)}" for k in paid.keys() - known for p in paid[k]]
    outcomes = tuple(
        _outcome(s, tuple(rmas.get(s.name, ())), moves[s.order["name"]], paid[s.order["name"]], books, records)
        for s in stories
    )
    return Verdict(
        outcomes=outcomes, effects=ours.effects, lost=tuple(ours.lost()),
        doubled=(*strays, *ours.doubled(), *ours.contradicted(), *(_finding(each) for each in books.findings)),
    )  # fmt: skip


class Ours:
    """Our commands and results, and what the books hold under their marks."""

    def __init__(self, books: Books, records: Records) -> None:
        self._records = records
        self._dispositions = _dispositions(books.orders.values())
        self._moved: dict[str, list[Moved]] = defaultdict(list)
        self._paid: dict[str, list[Paid]] = defaultdict(list)
        for move in _stock(books):
            if (command := self.restock_of(move)) is not None:
                self._moved[command].append(move)
        for out in _money(books):
            if (command := marks.command_in(out.note)) is not None:
                self._paid[command].append(out)

    @property
    def effects(self) -> int:
        return len(self._moved) + len(self._paid)

    def restock_of(self, move: Moved) -> str | None:
        """The command that a movement names, directly or by the disposition that made it."""
        reference = move.reference or ""
        by_adjustment = reference.rpartition("/")[2] if reference.startswith("gid://returnflow/Restock/") else None
        return by_adjustment or self._dispositions.get(reference)

    def order_of(self, command: str | None) -> str:
        """The order (numeric id) that a command is about; "" when we never made it."""
        known = self._records.commands.get(command or "")
        return known.order_id if known is not None else ""

    def lost(self) -> Iterator[str]:
        """Dead letters, commands without an end, ends without an effect or that the ledger does not know."""
        for topic, count in sorted(self._records.dead_letters.items()):
            yield f"{count} dead letters in {topic}"
        for command_id, command in sorted(self._records.commands.items()):
            about = f"{type(command).__name__} {command_id} of RMA {command.rma_id or '(none)'}"
            results = self._records.results.get(command_id, [])
            if not results:
                yield f"{about} has no result"
                continue
            row = self._records.effects.get(command_id)
            if row is None or row.state != "settled":
                yield f"{about} has a result, but the ledger says {row.state if row else 'nothing'}"
            if _done(results):
                yield from self._without_effect(about, command)

    def _without_effect(self, about: str, command: object) -> Iterator[str]:
        match command:
            case Restock():
                moved = sum(move.delta for move in self._moved.get(command.command_id, []))
                left = command.quantity - moved
                if left and (left > 0) == (command.quantity > 0):  # below zero it goes out of stock
                    yield f"{about} is settled for {command.quantity} units, the books have {moved}"
            case Refund() | StoreCredit():
                there, said = _sum(self._paid.get(command.command_id, []), command.currency), self._said(command)
                if there < said:
                    yield f"{about} is settled for {said}, the books have {there} {command.currency}"

    def doubled(self) -> Iterator[str]:
        """More in the books than was commanded, or without a command that ended so."""
        for command_id, moves in sorted(self._moved.items()):
            known, moved = self._records.commands.get(command_id), sum(move.delta for move in moves)
            due = known.quantity if isinstance(known, Restock) and self._ended(command_id) else 0
            if abs(moved) > abs(due) or len(moves) > 1:
                yield f"restock {command_id}: {len(moves)} movements of {moved} units where {due} were due"
        for command_id, paid in sorted(self._paid.items()):
            known = self._records.commands.get(command_id)
            due = self._said(known) if isinstance(known, Refund | StoreCredit) and self._ended(command_id) else 0
            there = _sum(paid, paid[0].currency)
            if there > due:
                yield f"payment {command_id}: {there} {paid[0].currency} left where {due} were due"

    def contradicted(self) -> Iterator[str]:
        """Results of commands that nobody made, and commands that ended well and badly."""
        for command_id, results in sorted(self._records.results.items()):
            if command_id not in self._records.commands:
                yield f"a result for {command_id}, which was never commanded"
            if len({each.outcome == "rejected" for each in results}) > 1:
                yield f"command {command_id} was both carried out and rejected"

    def _said(self, command: Refund | StoreCredit) -> int:
        """What was paid by our own result: the shop rounds as it does; without a figure what was commanded."""
        results = self._records.results.get(command.command_id, [])
        told = [each.amount.minor for each in results if each.amount is not None and each.outcome != "rejected"]
        return told[0] if told else command.amount_minor

    def _ended(self, command_id: str) -> bool:
        return _done(self._records.results.get(command_id, []))


def _done(results: list[CommandResult]) -> bool:
    return any(each.outcome != "rejected" for each in results)


def _outcome(
    story: Story, rmas: tuple[str, ...], moves: list[Moved], paid: list[Paid], books: Books, records: Records
) -> Outcome:
    order = books.orders.get(story.order["name"])
    order_id = str(order.id) if order else ""
    found = tuple(e for e in records.exceptions if e.order_id == order_id or (e.rma_id and e.rma_id in rmas))
    moved: Counter[str] = Counter()
    for move in moves:
        moved[_place(move)] += move.delta
    worth = tuple(sorted(_worth(each) for each in paid))
    tags = tuple(sorted(tag for tag in (order.tags if order else ()) if tag.startswith(MERCHANTS_TAGS)))
    wrong = [f"the shop let a restock fall: {_place(m)}" for m in moves if not m.applied]
    wrong += _differences(story.end, moved, worth, [e.type for e in found], tags)
    settled = [
        result.settled_at_ms
        for results in records.results.values()
        for result in results
        if result.order_id == order_id and result.kind in ("restock", "refund", "store_credit", "exchange")
    ]
    return Outcome(
        story=story, rmas=rmas, moved=dict(moved), paid=worth, open=found, tags=tags, wrong=tuple(wrong),
        settled_ms=max(settled, default=None),
    )  # fmt: skip


def _differences(
    end: End, moved: Counter[str], paid: Iterable[str], types: list[str], tags: tuple[str, ...]
) -> list[str]:
    stock: Counter[str] = Counter()
    for each in end.stock:
        stock[f"{each.sku}@{each.location_id}.{each.name}"] += each.quantity
    due = sorted(f"{each.amount} {each.currency} {each.gateway}" for each in end.paid)
    pairs: tuple[tuple[str, object, object], ...] = (
        ("stock", dict(sorted(stock.items())), dict(sorted((k, v) for k, v in moved.items() if v))),
        ("money", due, sorted(paid)),
        ("exceptions", sorted(end.open), sorted(types)),
        ("tags", sorted(end.tags), sorted(tags)),
    )
    return [
        f"{what}: expected {expected or 'none'}, found {actual or 'none'}"
        for what, expected, actual in pairs
        if expected != actual
    ]


def _stock(books: Books) -> list[Moved]:
    """Every movement but those of sales."""
    return [move for move in books.movements if move.delta and move.cause != "sale"]


def _money(books: Books) -> list[Paid]:
    """The last word on each payment out, without those that failed."""
    last = {(out.kind, out.id): out for out in books.money}
    return [out for out in last.values() if out.status in COUNTED]


def _dispositions(orders: Iterable[OrderNow]) -> dict[str, str]:
    """Command by the disposition it made in a native return, as claimed in the order's metafields."""
    claims = [marks.decode(value) for order in orders for value in order.metafields.values()]
    return {disposition: claim.cmd for claim in claims if claim for disposition in claim.dispositions}


def _sum(paid: list[Paid], currency: str) -> int:
    return sum(parse(out.amount, currency).minor for out in paid)


def _place(move: Moved) -> str:
    return f"{move.sku}@{move.location_id}.{move.name}"


def _worth(out: Paid) -> str:
    # a card that was issued, not a card that paid for the order and is repaid
    gateway = "new_gift_card" if out.kind == "gift_card" else out.gateway
    return f"{out.amount} {out.currency} {gateway}"


def _finding(each: dict[str, str]) -> str:
    return " ".join(str(each[name]) for name in ("kind", "about", "detail") if name in each)
