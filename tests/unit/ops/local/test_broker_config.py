"""What the local broker is told."""

from pathlib import Path

from ops.local.broker_config import LOG4J_SETTINGS, broker_command, broker_properties, format_command


def settings(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_listens_on_loopback_only_and_makes_no_topic_by_itself() -> None:
    found = settings(broker_properties(port=1111, controller_port=2222, data=Path("/data")))
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1111"
    assert found["auto.create.topics.enable"] == "false"
    assert found["log.dirs"] == "/data"


def test_one_node_can_hold_its_internal_topics() -> None:
    found = settings(broker_properties(port=1, controller_port=2, data=Path("/data")))
    factors = {name: value for name, value in found.items() if name.endswith(("replication.factor", "min.isr"))}
    assert len(factors) == 5
    assert set(factors.values()) == {"1"}


def test_commands_carry_every_jar_and_the_log_settings() -> None:
    jars = [Path("/jars/a.jar"), Path("/jars/b.jar")]
    run = broker_command(Path("/java"), jars, Path("/p"))
    assert run[-2:] == ["kafka.Kafka", "/p"]
    assert f"-Dlog4j2.configurationFile={LOG4J_SETTINGS}" in run
    assert LOG4J_SETTINGS.is_file()
    prepare = format_command(Path("/java"), jars, Path("/p"), "an-id")
    assert all("/jars/a.jar:/jars/b.jar" in command for command in (run, prepare))
