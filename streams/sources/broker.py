"""What a process makes sure of when it starts: Kafka and our topics are there."""

from collections.abc import Iterable

from schemas import brokers
from schemas.kafka import Brokers
from schemas.startup import CannotStart

ANSWER_WITHIN_SECONDS = 5.0


def require_topics(bootstrap: Brokers, names: Iterable[str]) -> dict[str, int]:
    """Partition counts of topics that must exist; raises CannotStart."""
    try:
        found = brokers.ask(bootstrap, ANSWER_WITHIN_SECONDS).topics
    except brokers.Unreachable as error:
        raise CannotStart(
            f"expected a Kafka at {bootstrap}, got: {error}. Start it, or name another one with --kafka "
            "or RETURNFLOW_KAFKA_BOOTSTRAP."
        ) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise CannotStart(
            f"expected the topics {', '.join(missing)} in Kafka at {bootstrap}, found none of these"
            f"{brokers.unseen(bootstrap)}. Run `returnflow topics apply` first."
        )
    return {name: len(found[name].partitions) for name in names}
