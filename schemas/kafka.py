"""How every Kafka client reaches the cluster: the brokers, and who asks over which connection. One home for all.

`librdkafka` and `aiokafka` give what the client libraries take; they read the secrets and the certificates.
"""

import ssl
from typing import Any, Literal

import msgspec

from schemas import secrets
from schemas.startup import CannotStart

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
PREFIX = "RETURNFLOW_KAFKA_"


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Brokers and how to connect to them. Holds references of secrets (`env:NAME`, `file:/path`), never a value."""

    bootstrap: str  # host:port, several with commas
    protocol: Protocol = "plaintext"
    mechanism: Mechanism | None = None
    username: str | None = None
    password: str | None = None  # a reference
    ca_file: str | None = None  # PEM; None: what the system trusts
    certificate_file: str | None = None  # PEM, the client's own with those that signed it
    key_file: str | None = None  # PEM
    key_password: str | None = None  # a reference

    @property
    def sasl(self) -> bool:
        return self.protocol.startswith("sasl_")

    @property
    def tls(self) -> bool:
        return self.protocol.endswith("ssl")

    def __str__(self) -> str:
        return self.bootstrap


Brokers = Cluster | str  # an address alone is a cluster without TLS and without users


def wrong(cluster: Cluster) -> str | None:
    """What of these settings does not go together, in words; None: nothing. Pure."""
    login = _given(cluster, "mechanism", "username", "password")
    files = _given(cluster, "ca_file", "certificate_file", "key_file", "key_password")
    if cluster.sasl and len(login) < len(_LOGIN):
        missing = ", ".join(name for name in _LOGIN if name not in login)
        return f"{PREFIX}SECURITY_PROTOCOL={cluster.protocol}: expected {missing} as well"
    if not cluster.sasl and login:
        return f"{', '.join(login)}: expected {PREFIX}SECURITY_PROTOCOL sasl_ssl (or sasl_plaintext), {_got(cluster)}"
    if not cluster.tls and files:
        return f"{', '.join(files)}: expected {PREFIX}SECURITY_PROTOCOL ssl or sasl_ssl, {_got(cluster)}"
    if (cluster.certificate_file is None) != (cluster.key_file is None):
        return f"{PREFIX}CERTIFICATE_FILE and {PREFIX}KEY_FILE: expected both or none, got one"
    if cluster.key_password is not None and cluster.key_file is None:
        return f"{PREFIX}KEY_PASSWORD: expected {PREFIX}KEY_FILE as well"
    return None


_NAMES = {
    "mechanism": "SASL_MECHANISM", "username": "SASL_USERNAME", "password": "SASL_PASSWORD", "ca_file": "CA_FILE",
    "certificate_file": "CERTIFICATE_FILE", "key_file": "KEY_FILE", "key_password": "KEY_PASSWORD",
}  # fmt: skip
_LOGIN = [PREFIX + _NAMES[each] for each in ("mechanism", "username", "password")]


def _given(cluster: Cluster, *fields: str) -> list[str]:
    return [PREFIX + _NAMES[each] for each in fields if getattr(cluster, each) is not None]


def _got(cluster: Cluster) -> str:
    return f"got {cluster.protocol}"


def cluster_of(brokers: Brokers) -> Cluster:
    """The cluster behind an address."""
    return Cluster(bootstrap=brokers) if isinstance(brokers, str) else brokers


def librdkafka(brokers: Brokers) -> dict[str, Any]:
    """Settings of a confluent-kafka client, the broker's name checked against its certificate; raises CannotStart."""
    cluster = cluster_of(brokers)
    settings: dict[str, Any] = {"bootstrap.servers": cluster.bootstrap}
    if cluster.protocol != "plaintext":
        settings["security.protocol"] = cluster.protocol
    if cluster.sasl:
        user = {"sasl.mechanism": cluster.mechanism, "sasl.username": cluster.username}
        settings |= user | {"sasl.password": _secret(cluster.password)}
    if cluster.tls:
        context(cluster)  # librdkafka's own words about a file that it cannot read help nobody
        files = {
            "ssl.ca.location": cluster.ca_file or ssl.get_default_verify_paths().cafile,
            "ssl.certificate.location": cluster.certificate_file,
            "ssl.key.location": cluster.key_file,
            "ssl.key.password": _secret(cluster.key_password),
        }
        settings |= {name: value for name, value in files.items() if value is not None}
    return settings


def aiokafka(brokers: Brokers) -> dict[str, Any]:
    """Keyword arguments of an aiokafka client; raises CannotStart."""
    cluster = cluster_of(brokers)
    settings: dict[str, Any] = {"bootstrap_servers": cluster.bootstrap}
    if cluster.protocol != "plaintext":
        settings |= {"security_protocol": cluster.protocol.upper(), "ssl_context": context(cluster)}
    if cluster.sasl:
        settings["sasl_mechanism"] = cluster.mechanism
        settings |= {"sasl_plain_username": cluster.username, "sasl_plain_password": _secret(cluster.password)}
    return settings


def context(cluster: Cluster) -> ssl.SSLContext | None:
    """The certificates for a connection with TLS, None without; raises CannotStart for files that cannot be used."""
    if not cluster.tls:
        return None
    try:
        made = ssl.create_default_context(cafile=cluster.ca_file)
    except (OSError, ValueError) as error:
        raise CannotStart(_unusable("CA_FILE", cluster.ca_file, "certificates in PEM", error)) from error
    if cluster.certificate_file is not None:
        # a function: without one, OpenSSL asks a terminal for the password of a locked key, and waits
        password = _secret(cluster.key_password) or ""
        try:
            made.load_cert_chain(cluster.certificate_file, cluster.key_file, lambda: password)
        except (OSError, ValueError) as error:
            where, wanted = f"{cluster.certificate_file} and {cluster.key_file}", "a certificate and its key in PEM"
            raise CannotStart(_unusable("CERTIFICATE_FILE and KEY_FILE", where, wanted, error)) from error
    return made


def _unusable(name: str, where: str | None, wanted: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    return f"{PREFIX}{name}: expected {wanted} in {where}, got: {reason}"


def _secret(reference: str | None) -> str | None:
    if reference is None:
        return None
    try:
        return secrets.resolve(reference).get_secret_value()
    except secrets.SecretMissing as error:
        raise CannotStart(f"Kafka: {error}") from error
