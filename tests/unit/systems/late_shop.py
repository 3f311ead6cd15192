"""A model of a shop in which every answer may get lost and every write may come late, and a runtime that meets it.

Only what a restock is about: one order, one line in one native return, metafields, keys, and how many units moved.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from schemas.commands import Restock
from schemas.ids import idempotency_key
from sinks.attempt import attempt as one_attempt
from sinks.claim import InHand, lease
from sinks.contract import EFFECT, Flow, NotSent, Unanswered
from sinks.ledger.claims import Claim, Claimed
from sinks.outcomes import Deferred, Outcome, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import native
from sinks.transport import Before, Sent
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import MERCHANT, NOW_MS, SHOP

Json = dict[str, Any]
READS = ("answered", "no answer", "cut off")
WRITES = (
    "answered", "no answer", "late", "lost", "not sent", "throttled", "broken, late", "cut off, late", "crash, late",
    "crash, lost",
)  # fmt: skip
ARRIVALS = ("after the next write", "before the next request", "in the end")
Draw = Callable[[tuple[str, ...]], str]  # one of several answers; the first is what nobody would notice


class CutOff(BaseException):
    """The worker is told to stop, or dies, in the middle of a request."""


class LateShop:
    """`moved` is what counts: units that went into stock."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.moved = 0
        self.is_open = True
        self.metafields: dict[str, tuple[str, str]] = {}
        self.keys: dict[str, Json] = {}
        self.dispositions: list[Json] = []
        self.under_way: list[tuple[str, int, httpx.Request]] = []  # when it arrives, since when it is late, what
        self._writes = 0

    def asked(self, request: httpx.Request) -> httpx.Response:
        """The answer, and what the request does."""
        body = json.loads(request.content)
        doing: dict[str, Callable[[Json], httpx.Response]] = {
            "RestockLook": self.look, "OrderReturns": self.returns, "Claim": self.claim, "Adjust": self.adjust,
            "Dispose": self.dispose, "CloseReturn": self.close,
        }  # fmt: skip
        return doing[body["operationName"]](body["variables"])

    def look(self, variables: Json) -> httpx.Response:
        found = self.metafields.get(variables["claim"])
        claim = None if found is None else {"value": found[0], "compareDigest": found[1]}
        return shop.restock_look(claim=claim, return_status="IN_PROGRESS")

    def returns(self, _variables: Json) -> httpx.Response:
        nodes = [{"key": key, "value": value} for key, (value, _) in self.metafields.items()]
        status = "OPEN" if self.is_open else "CLOSED"
        return shop.returns(shop.native_return(self._line(), status=status), metafields=nodes)

    def _line(self) -> Json:
        return shop.returned_line(total=self.units, dispositions=list(self.dispositions))

    def claim(self, variables: Json) -> httpx.Response:
        wanted = variables["metafields"][0]
        found = self.metafields.get(wanted["key"])
        if (None if found is None else found[1]) != wanted["compareDigest"]:
            return shop.refused("metafieldsSet", "changed since it was loaded", "STALE_OBJECT", metafields=None)
        self._writes += 1
        self.metafields[wanted["key"]] = (wanted["value"], f"digest-{self._writes}")
        return shop.claimed(f"digest-{self._writes}")

    def adjust(self, variables: Json) -> httpx.Response:
        known = self.keys.setdefault(variables["key"], variables["input"])
        assert known == variables["input"], "the same key with other content"
        if variables["input"] is known:
            self.moved += variables["input"]["changes"][0]["delta"]
        return shop.adjusted()

    def dispose(self, variables: Json) -> httpx.Response:
        for wanted in variables["dispositions"]:
            kind, units = wanted["dispositionType"], wanted["quantity"]
            number, place = 51 + len(self.dispositions), 71 if kind == "RESTOCKED" else None
            self.dispositions.append(shop.disposition(number, kind, units, place))
            self.moved += units if kind == "RESTOCKED" else 0
        return shop.disposed(self._line())

    def close(self, _variables: Json) -> httpx.Response:
        self.is_open = False
        return shop.closed()

    def arrive(self, when: str) -> None:
        """What is to arrive at that point."""
        self._arrive(lambda each: each[0] == when)

    def overdue(self, now_ms: int) -> None:
        """What Shopify does with a disposal, it has done within this time: we rely on that. Others may take days."""
        self._arrive(lambda each: now_ms - each[1] >= native.SETTLING_MS and "Dispose" in each[2].content.decode())

    def _arrive(self, arrives: Callable[[tuple[str, int, httpx.Request]], bool]) -> None:
        arriving = [each for each in self.under_way if arrives(each)]
        self.under_way = [each for each in self.under_way if each not in arriving]
        for _, _, request in arriving:
            self.asked(request)


class Worker:
    """Attempts at one command, with what the ledger keeps between them; `draw` decides what goes wrong."""

    def __init__(self, late_shop: LateShop, command: Restock, draw: Draw) -> None:
        self.shop, self.command, self.draw = late_shop, command, draw
        self.now_ms = NOW_MS
        self.claimed = Claimed(idempotency_key=self._key(0))
        self.story: list[str] = []
        # Of sinks.transport.Transport:
        self.system, self.merchants = shopify.SYSTEM, {command.merchant}
        # Of sinks.attempt.Together:
        self.may_join = False

    def _key(self, epoch: int) -> str:
        return idempotency_key(merchant=self.command.merchant, command_id=self.command.command_id, epoch=epoch)

    def connection(self, _merchant: str) -> Any:
        return SHOP

    async def attempt(self) -> Outcome | None:
        """One attempt; None when it was cut off."""
        work: Any = None
        mine = Claim(
            command_id=self.command.command_id, merchant="acorn", system="shopify", kind="restock", key="k",
            fingerprint="f", idempotency_key=self.claimed.idempotency_key, worker="w", now_ms=self.now_ms,
            until_ms=self.now_ms + 30_000, arrival=None,
        )  # fmt: skip
        hand = InHand(work, self.claimed, mine, self.now_ms, lease(self.now_ms, 30_000))
        transport: Any = self
        together: Any = self

        async def before() -> int:
            return mine.until_ms

        try:
            outcome = await one_attempt(
                transport, {self.command.merchant: MERCHANT}, self.command, self.claimed, sent=hand.sent,
                before=before, now_ms=self.now_ms, together=together,
            )  # fmt: skip
        except CutOff as end:
            self._cut_off(hand, str(end))
            return None
        hand.learn(outcome)
        new_key = isinstance(outcome, Uncertain) and outcome.new_key
        self._keep(hand, self.claimed.epoch + new_key)
        return outcome

    def _cut_off(self, hand: InHand, how: str) -> None:
        if how == "crash":  # the row stays as the claim made it
            since = self.now_ms if self.claimed.first_sent_ms is None else self.claimed.first_sent_ms
            self.claimed = msgspec.structs.replace(self.claimed, first_sent_ms=since)
        else:
            hand.interrupt()
            self._keep(hand, self.claimed.epoch)

    def _keep(self, hand: InHand, epoch: int) -> None:
        self.claimed = Claimed(
            idempotency_key=self._key(epoch), epoch=epoch, first_sent_ms=hand.first_sent_ms, notes=hand.notes
        )

    async def drive(self, flow: Flow, *, merchant: str, priority: str, sent: Sent, before: Before) -> Any:
        """Of sinks.transport.Transport."""
        del merchant, priority, before
        try:
            request = next(flow)
            while True:
                try:
                    response = self._exchange(request, sent)
                except (NotSent, Unanswered) as error:
                    request = flow.throw(error)
                else:
                    request = flow.send(response)
        except StopIteration as end:
            return end.value
        finally:
            flow.close()

    def _exchange(self, request: httpx.Request, sent: Sent) -> httpx.Response:
        body = json.loads(request.content)
        name, is_write = body["operationName"], body["query"].startswith("mutation")
        self.shop.arrive("before the next request")
        fate = self.draw(WRITES if is_write else READS)
        self.story.append(f"{name}: {fate}")
        if fate == "not sent":
            raise NotSent("no connection")
        sent.requests += 1
        if EFFECT in request.extensions and sent.effect_ms is None:
            sent.effect_ms = self.now_ms
        try:
            return self._answer(request, fate)
        finally:
            if is_write:
                self.shop.arrive("after the next write")
            if fate.endswith("late"):
                self.shop.under_way.append((self.draw(ARRIVALS), self.now_ms, request))

    def _answer(self, request: httpx.Request, fate: str) -> httpx.Response:
        match fate.split(", ")[0]:
            case "answered":
                return self.shop.asked(request)
            case "throttled":
                return shop.throttled()
            case "broken":
                return httpx.Response(502)
            case "crash" | "cut off" as how:
                raise CutOff(how)
            case "no answer":
                self.shop.asked(request)
        raise Unanswered("no answer")

    async def settle(self, most: int) -> Outcome | None:
        """Attempts until it ends or there were too many; a return may open and close in between."""
        for _ in range(most):
            outcome = await self.attempt()
            self.story.append(f"= {outcome}")
            if outcome is not None and not isinstance(outcome, Deferred | Uncertain):
                return outcome
            hint = outcome.after_seconds if isinstance(outcome, Deferred) else None
            self.now_ms += int((1.0 if hint is None else hint) * 1000)
            self.shop.is_open = self.draw(("open", "closed")) == "open"
            self.shop.overdue(self.now_ms)
        return None
