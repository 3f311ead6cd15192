"""A record of the command topic becomes work, or is refused with a reason. Pure."""

import msgspec

from schemas import ids
from schemas.codec import Codec, Undecodable
from schemas.commands import Annotate, Command, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.dead_letters import Headers
from sinks.ledger.parking import Arrival

_COMMANDS = (Restock, Refund, StoreCredit, Exchange, Annotate, Journal)
# What may be left out waits in a lane of its own, so that it holds up nothing that matters more.
_ASIDE = "|aside "
_PACK = msgspec.msgpack.Encoder(order="sorted")


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the consumer hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def came_ms(self, now_ms: int) -> int:
        """When it was written, for ages: now where it does not say, or says a time that has not come."""
        return min(self.timestamp_ms, now_ms) if self.timestamp_ms > 0 else now_ms


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A command, the record it came in, and what it asks for as a digest: equal digests ask for the same effect."""

    command: Command
    arrival: Arrival
    fingerprint: str
    parked: bool = False  # it comes out of its parked lane, so it does not queue behind it

    @property
    def received(self) -> Received:
        return _received(self.arrival)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is no command for this system, and why."""

    received: Received
    detail: str


def read(received: Received, codec: Codec, system: str) -> Work | Refused:
    """The work in a record, if it is a command for `system` under the key that keeps its order."""
    try:
        command = codec.decode(received.value)
    except Undecodable as error:
        return Refused(received=received, detail=str(error))
    if not isinstance(command, _COMMANDS):
        return Refused(received=received, detail=f"expected a command, got a {type(command).__name__}")
    if command.system != system:
        return Refused(received=received, detail=f"expected a command for {system}, got one for {command.system}")
    allowed = keys(command)
    if received.key not in allowed:
        wanted = " or ".join(repr(key) for key in allowed)
        return Refused(received=received, detail=f"expected the key {wanted}, got {received.key!r}")
    return _work(received, command, received.key.decode() + _aside(command, received.key))


def _aside(command: Command, key: bytes) -> str:
    """What is added to the key of what need not wait for all of its key.

    Movements of one item commute, and each is known by its key or looked for before it is repeated: only those of one
    order keep their order, for they touch the same pieces, returns and claims. And nothing that is said to people in
    ReturnGO depends on what came before.
    """
    if isinstance(command, Restock):
        return "" if key == ids.order_key(command.merchant, command.order_id) else f"{_ASIDE}{command.order_id}"
    if isinstance(command, Annotate) and command.aspect in ("comment", "status"):
        return f"{_ASIDE}{command.aspect}"
    return ""


def in_log(command: Command | None) -> dict[str, str]:
    """How a log line names a command: what people search for. None of it is personal data."""
    if command is None:
        return {}
    names = ("merchant", "command_id", "order_id", "rma_id")
    return {name: value for name in names if (value := getattr(command, name))}


def paid_units(command: Command) -> tuple[str, ...]:
    """Names of the units that a command moves money for; the difference of an exchange is paid beside the exchange."""
    match command:
        case Refund() | StoreCredit() | Exchange():
            what = "difference" if isinstance(command, Refund) and command.exchange_id else "money"
            whose = f"{command.merchant}|{command.order_id}|{command.rma_id}"
            return tuple(f"{whose}|{unit_id}|{what}" for unit_id in dict.fromkeys(command.unit_ids) if unit_id)
        case _:
            return ()


def keys(command: Command) -> tuple[bytes, ...]:
    """The record keys that keep a command in order with its neighbours."""
    order = ids.order_key(command.merchant, command.order_id)
    if not isinstance(command, Restock):
        return (order,)
    by_sku = f"{command.merchant}|{command.sku}".encode()  # as restocks were keyed when rows were a SKU's
    return ids.item_key(command.merchant, command.system, command.item_id), by_sku, order


def _work(received: Received, command: Command, key: str) -> Work:
    assert received.value is not None
    arrival = Arrival(
        system=command.system,
        merchant=command.merchant,
        key=key,
        command_id=command.command_id,
        topic=received.topic,
        partition=received.partition,
        offset=received.offset,
        timestamp_ms=received.timestamp_ms,
        value=received.value,
        headers=received.headers,
    )
    return Work(command=command, arrival=arrival, fingerprint=fingerprint(command))


def again(arrival: Arrival, codec: Codec) -> Work | Refused:
    """The work in a parked arrival, which was read before it was parked."""
    work = read(_received(arrival), codec, arrival.system)
    return msgspec.structs.replace(work, parked=True) if isinstance(work, Work) else work


def _received(arrival: Arrival) -> Received:
    return Received(
        topic=arrival.topic,
        partition=arrival.partition,
        offset=arrival.offset,
        timestamp_ms=arrival.timestamp_ms,
        key=(arrival.key.rpartition(_ASIDE)[0] or arrival.key).encode(),
        value=arrival.value,
        headers=arrival.headers,
    )


def fingerprint(command: Command) -> str:
    """Digest of what a command asks for. When it was decided is no part of that."""
    content = msgspec.to_builtins(command)
    del content["decided_at_ms"]
    return ids.digest(_PACK.encode([type(command).__name__, content]))
