"""Asks a cluster what topics it has, and says in plain words why it gives no answer. Touches the broker."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from schemas.kafka import PREFIX, Brokers, cluster_of, librdkafka


class Unreachable(Exception):
    """The cluster gave no answer; the text says why in words for a person."""


def ask(brokers: Brokers, within_seconds: float) -> ClusterMetadata:
    """What the cluster tells of its topics: those that the user may see. Raises Unreachable and CannotStart."""
    told: list[KafkaError] = []
    client = AdminClient({**librdkafka(brokers), "log_level": 0, "error_cb": told.append})
    try:
        return client.list_topics(timeout=within_seconds)
    except KafkaException as error:
        client.poll(0)  # what happened to the connections is told here; the call itself knows only that time is up
        raise Unreachable(reason(brokers, error.args[0], told)) from error


def unseen(brokers: Brokers) -> str:
    """What else may be the matter when a topic is missing: a user sees only what it has a right to."""
    cluster = cluster_of(brokers)
    if cluster.protocol == "plaintext":
        return ""
    return f" that {cluster.username or 'the certificate'} may see (rights: `returnflow topics acls`)"


_PLAIN = {
    KafkaError._AUTHENTICATION: "the broker refuses the user or its password ({said})",
    KafkaError._SSL: "TLS failed, as with a certificate that is not trusted ({said})",
}


def reason(brokers: Brokers, error: KafkaError, told: list[KafkaError]) -> str:
    """The likeliest cause in words, of what a call and the connections under it have said."""
    for each in (*told, error):
        if each.code() in _PLAIN:
            return _PLAIN[each.code()].format(said=each.str())
    said = error.str()
    if cluster_of(brokers).protocol == "plaintext" and any("disconnected" in each.str().lower() for each in told):
        return f"{said}; it hangs up: does it want TLS ({PREFIX}SECURITY_PROTOCOL)?"
    return str(said)
