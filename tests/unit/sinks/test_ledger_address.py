"""What the ledger's URL says besides the address goes to PostgreSQL's library, and no password of it into a message."""

from typing import Any

import psycopg
import pytest

from ops.cli.settings import without_password
from schemas.startup import CannotStart
from sinks.ledger.engine import ledger_answers, open_engine

SECRET = "quagga-of-the-ledger"
URL = (
    f"postgresql://me:{SECRET}@db.example/ledger?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=/etc/me.pem"
    f"&sslkey=/etc/me.key&sslpassword={SECRET}"
)


def test_tls_parameters_reach_libpq_and_passwords_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def connect(*_: object, **given: Any) -> psycopg.Connection[Any]:
        asked.append(given)
        raise psycopg.OperationalError("certificate verify failed")

    monkeypatch.setattr(psycopg, "connect", connect)
    monkeypatch.setattr(psycopg.Connection, "connect", connect)
    with pytest.raises(CannotStart) as refused:
        open_engine(URL)
    probe = ledger_answers(URL)()
    for given in asked:
        assert (given["sslmode"], given["sslrootcert"], given["host"]) == ("verify-full", "/etc/ca.pem", "db.example")
        assert (given["sslcert"], given["sslkey"], given["sslpassword"]) == ("/etc/me.pem", "/etc/me.key", SECRET)
    assert len(asked) == 2
    assert "certificate verify failed" in str(refused.value)
    for said in (str(refused.value), str(probe), without_password(URL)):
        assert "db.example" in said
        assert SECRET not in said
