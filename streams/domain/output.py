"""What a decision puts on a topic: the record itself, its topic and key. Bytes are made outside."""

import msgspec

from schemas import ids, topics
from schemas.commands import Annotate, Command, Exchange, Journal, Refund, Restock, StoreCredit
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.journal import CaseStep, ExpectedReturn
from schemas.stock import RestockIntent, RestockVerdict, row_key

Sent = (
    Restock | Refund | StoreCredit | Exchange | Annotate | Journal | RestockIntent | RestockVerdict
    | ExceptionRaised | ExceptionCleared | CaseStep | ExpectedReturn
)  # fmt: skip


class Output(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record to produce."""

    topic: str
    key: bytes
    record: Sent


def command(record: Command) -> Output:
    """To the system's own command topic; restocks keep the order of their item, all else that of its order."""
    if isinstance(record, Restock):
        key = ids.item_key(record.merchant, record.system, record.item_id)
    else:
        key = ids.order_key(record.merchant, record.order_id)
    return Output(topic=topics.commands_of(record.system), key=key, record=record)


def intent(record: RestockIntent) -> Output:
    return Output(topic=topics.RESTOCK_INTENTS, key=row_key(record), record=record)


def verdict(record: RestockVerdict) -> Output:
    return Output(topic=topics.RESTOCK_VERDICTS, key=ids.order_key(record.merchant, record.order_id), record=record)


def exception(record: ExceptionRaised | ExceptionCleared) -> Output:
    return Output(topic=topics.EXCEPTIONS, key=record.exception_id.encode(), record=record)


def step(record: CaseStep) -> Output:
    return Output(topic=topics.CASE_JOURNAL, key=ids.order_key(record.merchant, record.order_id), record=record)


def expected(record: ExpectedReturn) -> Output:
    return Output(topic=topics.EXPECTED_RETURNS, key=ids.order_key(record.merchant, record.order_id), record=record)
