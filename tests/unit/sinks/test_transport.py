"""The transport: what a flow is told when a request gets no answer, and what never leaves the process."""

from contextlib import AbstractAsyncContextManager

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry

from schemas.merchant import Merchant
from schemas.startup import CannotStart
from sinks.connecting import Connecting, connect_all, open_transport
from sinks.contract import EFFECT, NotSent, ReadFlow, Unanswered
from sinks.ledger.ledger import Ledger
from sinks.telemetry import RequestTelemetry
from sinks.transport import MOST_REQUESTS, Sent, Transport
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import Answer, Peer
from tests.unit.sinks.rig import Rig, until
from tests.unit.sinks.toy import Connection, Toy, look, merchant, restock


def ask(url: str, **extensions: object) -> ReadFlow[int]:
    answer = yield httpx.Request("POST", f"{url}/effects/x", json={"key": "k"}, extensions=dict(extensions))
    return answer.status_code


def catching(url: str) -> ReadFlow[str]:
    try:
        yield httpx.Request("POST", f"{url}/effects/x", json={"key": "k"})
    except (NotSent, Unanswered) as error:
        return type(error).__name__
    return "answered"


async def drive(rig: Rig, flow: ReadFlow[int], sent: Sent | None = None) -> int:
    return await rig.transport.drive(flow, merchant="shop", priority="money", sent=sent)


async def test_a_read_flow_gives_what_it_found(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig()
    peer.effects["a"] = 1
    connection = rig.transport.connection("shop")
    assert await rig.transport.drive(look(connection), merchant="shop", priority="read") == ["a"]


async def test_nobody_listening_is_not_sent(make_rig: MakeRig, unused_port: int) -> None:
    rig = await make_rig()
    with pytest.raises(NotSent):
        await drive(rig, ask(f"http://127.0.0.1:{unused_port}"))


@pytest.mark.parametrize("fault", [Answer(silent_seconds=30.0), Answer(breaks=True)])
async def test_no_answer_may_have_been_applied(make_rig: MakeRig, peer: Peer, fault: Answer) -> None:
    rig = await make_rig()
    peer.script["x"] = [fault]
    with pytest.raises(Unanswered):
        await drive(rig, ask(peer.url))
    peer.script["x"] = [fault]
    assert await rig.transport.drive(catching(peer.url), merchant="shop", priority="money") == "Unanswered"


async def test_it_is_known_what_went_out_even_after_a_failure(make_rig: MakeRig, peer: Peer) -> None:
    rig, read, wrote = await make_rig(), Sent(), Sent()
    await drive(rig, ask(peer.url), read)
    peer.script["x"] = [Answer(breaks=True)]
    with pytest.raises(Unanswered):
        await drive(rig, ask(peer.url, **{EFFECT: True}), wrote)
    assert (read.requests, read.effect_ms) == (1, None)
    assert wrote.requests == 1
    assert wrote.effect_ms is not None


async def test_an_open_breaker_sends_nothing_and_says_how_long(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(breaker_failures=2)
    peer.down = True
    assert [await drive(rig, ask(peer.url)) for _ in range(2)] == [503, 503]
    with pytest.raises(NotSent) as refused:
        await drive(rig, ask(peer.url))
    assert refused.value.after_seconds is not None
    assert len(peer.requests) == 2
    peer.down = False
    await until("a probe may go", lambda: rig.transport.wait_seconds("shop") == 0)
    assert await drive(rig, ask(peer.url)) == 200
    assert rig.transport.breaker_state("shop") == "closed"


async def test_what_stops_a_request_costs_nothing(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig()

    async def never() -> int:
        raise RuntimeError("the claim is lost")

    with pytest.raises(RuntimeError, match="claim is lost"):
        await rig.transport.drive(ask(peer.url), merchant="shop", priority="money", before=never)
    assert peer.requests == []
    assert rig.sample("returnflow_sink_quota_used_total", system="toy", merchant="shop", limit="calls") == 0


async def test_a_flow_that_never_ends_is_stopped(make_rig: MakeRig, peer: Peer) -> None:
    def endless() -> ReadFlow[int]:
        while True:
            yield httpx.Request("GET", f"{peer.url}/effects")

    rig = await make_rig(request_seconds=30.0)
    with pytest.raises(RuntimeError, match="at most"):
        await drive(rig, endless())
    assert len(peer.requests) == MOST_REQUESTS


@pytest.mark.req("OPS-10")
async def test_no_log_line_holds_a_token_an_address_or_a_body(make_rig: MakeRig, peer: Peer) -> None:
    peer.script[restock(1).command_id] = [Answer(status=422, applies=False, body="mail ann@example.com")]
    with structlog.testing.capture_logs() as lines:
        rig = await make_rig()
        rig.token = "good"
        rig.send(restock(1), restock(2))
        await rig.settled()
    text = repr(lines)
    assert "command_settled" in text
    for secret in ("good", "Bearer", "ann@example.com", peer.url, "/effects/"):
        assert secret not in text


def unset(reference: str) -> str:
    raise ValueError(f"secret {reference} is not set")


def opening(sqlite_url: str, merchants: dict[str, Merchant]) -> AbstractAsyncContextManager[Transport]:
    return open_transport(
        system=Toy("toy"), merchants=merchants, secret=unset, ledger=Ledger(sqlite_url),
        telemetry=RequestTelemetry("sink", CollectorRegistry()),
    )  # fmt: skip


async def test_without_any_merchant_of_use_every_problem_is_named(sqlite_url: str) -> None:
    merchants = {name: merchant(name, "toy", "http://x") for name in ("a", "b")}
    with pytest.raises(CannotStart, match=r"merchant a: systems.toy: secret env:TOKEN is not set; merchant b: systems"):
        async with opening(sqlite_url, merchants):
            pass


async def test_a_secret_that_is_missing_keeps_nobody_else_from_starting(sqlite_url: str) -> None:
    merchants = {"a": merchant("a", "toy", "http://x"), "b": merchant("b", "elsewhere", "http://x")}
    async with opening(sqlite_url, merchants) as transport:
        assert transport.merchants == frozenset()
        connecting = Connecting(transport, merchants, unset)
        assert await connecting.look() == frozenset()
        assert connecting.troubles == {"a": "systems.toy: secret env:TOKEN is not set"}
        mended = Connecting(transport, merchants, lambda _: "t")
        assert (await mended.look(), mended.troubles) == (frozenset({"a"}), {})
        assert transport.connection("a") == Connection(url="http://x", token="t")
        assert await mended.look() == frozenset()
        assert await connecting.look() == frozenset()  # gone again: the one that was read last is used on
        assert (transport.merchants, [*connecting.troubles]) == (frozenset({"a"}), ["a"])
        del merchants["a"]
        assert (await mended.look(), transport.merchants) == (frozenset({"a"}), frozenset[str]())


def test_a_merchant_without_the_system_is_left_out() -> None:
    merchants = {"a": merchant("a", "toy", "http://x"), "b": merchant("b", "elsewhere", "http://x")}
    assert connect_all(Toy("toy"), merchants, lambda _: "t") == ({"a": Connection(url="http://x", token="t")}, {})
