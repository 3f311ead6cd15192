"""Asks a cluster what topics it has, and says in plain words why it gives no answer. Touches the broker."""

import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from schemas.kafka import PREFIX, Brokers, cluster_of, librdkafka, started, tokens_of

FIRST_LOOK_SECONDS = 0.25
GRACE_SECONDS = 1.0  # for another of several addresses to do better


class Unreachable(Exception):
    """The cluster gave no answer; the text says why in words for a person."""


def ask(brokers: Brokers, within_seconds: float) -> ClusterMetadata:
    """What the cluster tells of its topics: those that the user may see. Raises Unreachable and CannotStart.

    A refused user or certificate is refused again however long one waits, so that is told without waiting.
    """
    if source := tokens_of(cluster_of(brokers)):
        try:
            source.current()
        except ConnectionError as error:
            raise Unreachable(str(error)) from error
    told: list[KafkaError] = []
    client = started(AdminClient({**librdkafka(brokers), "log_level": 0, "error_cb": told.append}))
    ends_at, patience = time.monotonic() + within_seconds, FIRST_LOOK_SECONDS
    while True:
        left = max(ends_at - time.monotonic(), 0.01)
        try:
            return client.list_topics(timeout=min(patience, left))
        except KafkaException as error:
            client.poll(0)  # what happened to the connections is told here; the call itself knows only that time is up
            if left <= patience:
                raise Unreachable(reason(brokers, error.args[0], told)) from error
        patience *= 2  # a broker that is far away needs longer for one answer
        if any(each.code() in _PLAIN for each in told):
            ends_at = min(ends_at, time.monotonic() + GRACE_SECONDS)


def unseen(brokers: Brokers) -> str:
    """What else may be the matter when a topic is missing: a user sees only what it has a right to."""
    cluster = cluster_of(brokers)
    if cluster.protocol == "plaintext":
        return ""
    return f" that {cluster.username or 'the certificate'} may see (rights: `returnflow topics acls`)"


_PLAIN = {
    KafkaError._AUTHENTICATION: "the broker refuses the user or {what} ({said})",
    KafkaError._SSL: "TLS failed, as with a certificate that is not trusted ({said})",
}


def reason(brokers: Brokers, error: KafkaError, told: list[KafkaError]) -> str:
    """The likeliest cause in words, of what a call and the connections under it have said."""
    what = "its token" if cluster_of(brokers).mechanism == "OAUTHBEARER" else "its password"
    for each in (*told, error):
        if each.code() in _PLAIN:
            return _PLAIN[each.code()].format(said=each.str(), what=what)
    said = error.str()
    if cluster_of(brokers).protocol == "plaintext" and any("disconnected" in each.str().lower() for each in told):
        return f"{said}; it hangs up: does it want TLS ({PREFIX}SECURITY_PROTOCOL)?"
    return str(said)
