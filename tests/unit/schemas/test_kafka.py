"""One set of settings for every Kafka client: checked together, told to each library, and silent about secrets."""

import ssl
from pathlib import Path
from typing import Any

import pydantic
import pytest
from confluent_kafka import KafkaError, KafkaException

from ops.cli.settings import settings
from ops.up import environment, wants_own_kafka
from schemas import brokers
from schemas.brokers import reason, unseen
from schemas.kafka import Cluster, aiokafka, librdkafka, wrong
from schemas.settings import ProcessSettings
from schemas.startup import CannotStart
from streams.shell.credentials import connection

SECRET = "correct-horse-battery"
LOGIN = {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_sasl_username": "me", "kafka_sasl_password": "env:K_PASSWORD"}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_PASSWORD", SECRET)


def told(**given: str) -> Cluster:
    return settings({"kafka_bootstrap": "k:9093", **given}).kafka


def test_an_address_alone_is_plain_and_says_so_to_no_library() -> None:
    assert librdkafka("a:1,b:2") == {"bootstrap.servers": "a:1,b:2"}
    assert aiokafka("a:1,b:2") == {"bootstrap_servers": "a:1,b:2"}
    assert connection("a:1,b:2") == {"broker": ["kafka://a:1", "kafka://b:2"]}
    assert told() == Cluster(bootstrap="k:9093")


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_users_are_told_to_all_three_libraries(mechanism: str) -> None:
    cluster = told(kafka_security_protocol="sasl_ssl", **{**LOGIN, "kafka_sasl_mechanism": mechanism})
    first, second, third = librdkafka(cluster), aiokafka(cluster), connection(cluster)["broker_credentials"]
    assert first["security.protocol"] == "sasl_ssl"
    assert second["security_protocol"] == third.protocol.value == "SASL_SSL"
    assert first["sasl.mechanism"] == second["sasl_mechanism"] == third.mechanism.value == mechanism
    assert first["sasl.username"] == second["sasl_plain_username"] == third.username == "me"
    assert first["sasl.password"] == second["sasl_plain_password"] == third.password == SECRET
    for context in (second["ssl_context"], third.ssl_context):
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


def test_users_without_tls_and_tls_without_users() -> None:
    users = told(kafka_security_protocol="sasl_plaintext", **LOGIN)
    assert aiokafka(users)["ssl_context"] is None
    assert connection(users)["broker_credentials"].protocol.value == "SASL_PLAINTEXT"
    tls = told(kafka_security_protocol="ssl")
    assert "sasl.username" not in librdkafka(tls)
    assert connection(tls)["broker_credentials"].protocol.value == "SSL"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kafka_security_protocol": "sasl_ssl"}, "expected RETURNFLOW_KAFKA_SASL_MECHANISM, RETURNFLOW_KAFKA_SASL"),
        ({"kafka_security_protocol": "sasl_ssl", **LOGIN, "kafka_sasl_mechanism": "MD5"}, "KAFKA_SASL_MECHANISM"),
        ({"kafka_security_protocol": "sasl_plaintext", "kafka_sasl_username": "me"}, "KAFKA_SASL_PASSWORD as well"),
        (LOGIN, "expected RETURNFLOW_KAFKA_SECURITY_PROTOCOL sasl_ssl (or sasl_plaintext), got plaintext"),
        ({"kafka_security_protocol": "ssl", **LOGIN}, "got ssl"),
        ({"kafka_ca_file": "ca.pem"}, "RETURNFLOW_KAFKA_CA_FILE: expected RETURNFLOW_KAFKA_SECURITY_PROTOCOL ssl or"),
        ({"kafka_security_protocol": "ssl", "kafka_key_file": "k.pem"}, "expected both or none, got one"),
        ({"kafka_security_protocol": "ssl", "kafka_key_password": "env:K"}, "KEY_PASSWORD: expected RETURNFLOW_"),
        ({"kafka_security_protocol": "tls"}, "RETURNFLOW_KAFKA_SECURITY_PROTOCOL"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(given: dict[str, str], expected: str) -> None:
    with pytest.raises(CannotStart) as refused:
        settings(given)
    assert expected in str(refused.value)


@pytest.mark.parametrize("field", ["kafka_sasl_password", "kafka_key_password"])
def test_a_secret_written_where_its_name_belongs_is_refused_and_not_repeated(field: str) -> None:
    given: dict[str, Any] = {"kafka_security_protocol": "sasl_ssl", **LOGIN, field: SECRET}
    with pytest.raises(CannotStart) as refused:
        settings(given)
    assert f"RETURNFLOW_{field.upper()}: expected a reference env:NAME or file:/path" in str(refused.value)
    assert SECRET not in str(refused.value)
    with pytest.raises(pydantic.ValidationError) as raw:
        ProcessSettings(**given)
    assert SECRET not in str(raw.value)


def test_no_secret_is_in_what_is_shown_or_handed_to_a_child() -> None:
    found = settings({"kafka_security_protocol": "sasl_ssl", **LOGIN})
    child = environment(found)
    assert child["RETURNFLOW_KAFKA_SASL_PASSWORD"] == "env:K_PASSWORD"
    for shown in (repr(found), repr(found.kafka), str(found.kafka), str(child)):
        assert SECRET not in shown
    assert SECRET not in repr(connection(found.kafka))


def test_who_names_users_has_a_kafka_already() -> None:
    assert wants_own_kafka(ProcessSettings())
    assert not wants_own_kafka(ProcessSettings(kafka_security_protocol="ssl"))


def test_a_missing_secret_and_unusable_files_are_told_before_anything_connects(tmp_path: Path) -> None:
    login = {**LOGIN, "kafka_sasl_password": "env:K_NONE"}
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    ways = [
        (told(kafka_security_protocol="sasl_ssl", **login), "secret env:K_NONE: expected a value"),
        (told(kafka_security_protocol="ssl", kafka_ca_file=str(tmp_path / "none")), "KAFKA_CA_FILE: expected certif"),
        (told(kafka_security_protocol="ssl", kafka_ca_file=str(broken)), "KAFKA_CA_FILE: expected certificates in PEM"),
        (told(kafka_security_protocol="ssl", kafka_certificate_file=str(broken), kafka_key_file=str(broken)),
         "RETURNFLOW_KAFKA_CERTIFICATE_FILE and KEY_FILE: expected"),
    ]  # fmt: skip
    for cluster, expected in ways:
        for library in (librdkafka, aiokafka, connection):
            with pytest.raises(CannotStart, match=expected):
                library(cluster)


def test_the_authority_is_the_same_for_every_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = ssl.get_default_verify_paths().cafile
    assert authority is not None
    mine = tmp_path / "mine.pem"
    mine.write_bytes(Path(authority).read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(mine))
    assert librdkafka(told(kafka_security_protocol="ssl"))["ssl.ca.location"] == str(mine)


def test_what_a_connection_said_explains_a_call_that_ran_out_of_time() -> None:
    late = KafkaError(KafkaError._TRANSPORT, "timed out")
    refused = KafkaError(KafkaError._AUTHENTICATION, "SCRAM: bad")
    unknown = KafkaError(KafkaError._SSL, "certificate verify failed")
    guarded = told(kafka_security_protocol="sasl_ssl", **LOGIN)
    assert "refuses the user or its password" in reason(guarded, late, [late, refused])
    assert "a certificate that is not trusted" in reason(guarded, late, [unknown])
    assert "does it want TLS" in reason("k:1", late, [KafkaError(KafkaError._TRANSPORT, "Disconnected while")])
    assert reason("k:1", late, []) == "timed out"
    assert "may see" in unseen(guarded)
    assert unseen("k:1") == ""


class Broker:
    """Answers a question that is asked for at least so long; until then its connections say this."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers_in: float, said: KafkaError | None = None) -> None:
        self.answers_in, self.said, self.now = answers_in, said, 0.0
        monkeypatch.setattr(brokers, "AdminClient", self.client)
        monkeypatch.setattr("schemas.brokers.time.monotonic", lambda: self.now)

    def client(self, given: dict[str, Any]) -> "Broker":
        self.tell = given["error_cb"]
        return self

    def poll(self, _: float) -> None:
        if self.said is not None and self.now:
            self.tell(self.said)

    def list_topics(self, timeout: float) -> str:
        if timeout >= self.answers_in:
            return "topics"
        self.now += timeout
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "time is up"))


def test_an_answer_that_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    Broker(monkeypatch, answers_in=2.0)
    assert brokers.ask("k:1", 5.0) == "topics"


def test_no_answer_is_told_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch, answers_in=60.0)
    with pytest.raises(brokers.Unreachable, match="time is up"):
        brokers.ask("k:1", 5.0)
    assert broker.now == pytest.approx(5.0)


def test_a_refusal_is_told_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch, answers_in=60.0, said=KafkaError(KafkaError._AUTHENTICATION, "bad"))
    with pytest.raises(brokers.Unreachable, match="refuses the user"):
        brokers.ask("k:1", 30.0)
    assert broker.now < 2.0


def test_nothing_is_wrong_with_a_cluster_of_its_own() -> None:
    assert wrong(Cluster(bootstrap="k:1")) is None
