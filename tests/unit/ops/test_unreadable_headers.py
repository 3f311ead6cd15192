"""Records whose header names librdkafka's Python client cannot read, as people's tools show them."""

from typing import Any, cast

from confluent_kafka import Message

from ops.kafka import UNREADABLE, _headers


class _Told:
    def __init__(self, headers: Any) -> None:
        self._told = headers

    def headers(self) -> Any:
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


def test_names_that_cannot_be_read_are_told_as_such() -> None:
    odd = SystemError("<method 'headers' of 'cimpl.Message' objects> returned a result with an exception set")
    assert _headers(cast("Message", _Told(odd))) == UNREADABLE
    assert _headers(cast("Message", _Told([("own", None)]))) == (("own", b""),)
    assert _headers(cast("Message", _Told(None))) == ()
