"""What the local broker is told: its properties and its Java options. Pure text."""

from collections.abc import Mapping, Sequence
from pathlib import Path

LOG4J_SETTINGS = Path(__file__).with_name("log4j2.properties")

_QUIET = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


def broker_properties(
    *, port: int, controller_port: int, data: Path, protocol: str = "PLAINTEXT", more: Mapping[str, str] | None = None
) -> str:
    """`server.properties` of a one-node KRaft cluster that listens on the loopback interface only.

    Clients speak `protocol`; `more` settings tell what that needs.
    """
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"{protocol}://127.0.0.1:{port}",
        "listener.security.protocol.map": f"{protocol}:{protocol},CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",  # topics come from the catalogue; a typing error must not make one
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",  # the default of 50 makes the first group join slow
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "2",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",  # do not wait 3 s for more members
        "group.min.session.timeout.ms": "1000",  # fault tests expel a member without waiting 6 s
        "log.cleaner.dedupe.buffer.size": "8388608",  # the default of 128 MiB is a third of this broker
        "log.index.size.max.bytes": "1048576",
        "broker.session.timeout.ms": "6000",  # a killed one is let in after this; any less would fence a busy one
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        **(more or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def format_command(java: Path, jars: Sequence[Path], properties: Path, cluster_id: str, *more: str) -> list[str]:
    """Prepare the data directory (`kafka-storage format`) with `more` options; harmless when it is prepared already."""
    tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster_id, "-c", str(properties), *more]
    return [str(java), *_QUIET, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *_class_path(jars), *tool]


def broker_command(java: Path, jars: Sequence[Path], properties: Path, *, measured: bool = False) -> list[str]:
    """Run the broker in the foreground; about 330 MB resident.

    It lives for minutes and waits for most of them, so Java does not spend as much again on compiling it well; only
    where speed is `measured` it does. Without memory it may answer some and lose others, so it ends then, and whoever
    runs it starts it again.
    """
    quick = [] if measured else ["-XX:TieredStopAtLevel=1"]
    memory = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", *quick]
    log = f"-Dlog4j2.configurationFile={LOG4J_SETTINGS}"
    return [str(java), *_QUIET, *memory, log, *_class_path(jars), "kafka.Kafka", str(properties)]


def _class_path(jars: Sequence[Path]) -> list[str]:
    return ["-cp", ":".join(str(jar) for jar in jars)]
