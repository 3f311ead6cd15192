"""How every Kafka client reaches the cluster: the brokers, and who asks over which connection. One home for all.

`librdkafka` and `aiokafka` give what the client libraries take; they read the secrets and the certificates.
"""

import ssl
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from schemas import addresses, secrets
from schemas.startup import CannotStart

if TYPE_CHECKING:
    from schemas.tokens import Tokens

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
PREFIX = "RETURNFLOW_KAFKA_"
T = TypeVar("T", bound=Any)  # a Consumer, Producer or AdminClient


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Brokers and how to connect to them. Holds references of secrets (`env:NAME`, `file:/path`), never a value."""

    bootstrap: str  # host:port, several with commas
    protocol: Protocol = "plaintext"
    mechanism: Mechanism | None = None
    username: str | None = None  # with OAUTHBEARER the client's id
    password: str | None = None  # a reference; with OAUTHBEARER of the client's secret
    token_url: str | None = None  # where OAUTHBEARER gets its tokens
    scope: str | None = None  # of the tokens, if the endpoint wants one
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
    return _wrong_tokens(cluster)


def _wrong_tokens(cluster: Cluster) -> str | None:
    """The same, of where tokens come from."""
    given = _given(cluster, "token_url", "scope")
    if cluster.mechanism != "OAUTHBEARER":
        return f"{', '.join(given)}: expected {PREFIX}SASL_MECHANISM=OAUTHBEARER as well" if given else None
    if cluster.token_url is None:
        return f"{PREFIX}SASL_MECHANISM=OAUTHBEARER: expected {PREFIX}{_NAMES['token_url']} as well"
    if expected := addresses.wrong(cluster.token_url):
        return f"{PREFIX}{_NAMES['token_url']}: expected {expected}"
    if addresses.leaves_plainly(cluster.token_url):
        return f"{PREFIX}{_NAMES['token_url']}: expected https://…, for anyone on the way would read the secret"
    return None


_NAMES = {
    "mechanism": "SASL_MECHANISM", "username": "SASL_USERNAME", "password": "SASL_PASSWORD", "ca_file": "CA_FILE",
    "certificate_file": "CERTIFICATE_FILE", "key_file": "KEY_FILE", "key_password": "KEY_PASSWORD",
    "token_url": "OAUTH_TOKEN_URL", "scope": "OAUTH_SCOPE",
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
        settings |= {"sasl.mechanism": cluster.mechanism, **_login(cluster, "sasl.username", "sasl.password")}
    if source := tokens_of(cluster):
        settings["oauth_cb"] = source.for_librdkafka
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
        login = _login(cluster, "sasl_plain_username", "sasl_plain_password")
        settings |= {"sasl_mechanism": cluster.mechanism, **login}
    if source := tokens_of(cluster):
        settings["sasl_oauth_token_provider"] = source
    return settings


def tokens_of(cluster: Cluster) -> "Tokens | None":
    """Where the tokens of OAUTHBEARER come from, the same for all clients of a process."""
    if cluster.mechanism != "OAUTHBEARER":
        return None
    from schemas import tokens  # with an HTTP client, which takes most commands too long to load

    return tokens.of(cluster)


def started(client: T) -> T:
    """A client of librdkafka that has asked for its token: it does so when it is polled, and any call before that
    would wait for it in vain."""
    client.poll(0)
    return client


def _login(cluster: Cluster, name: str, password: str) -> dict[str, Any]:
    """A user and a password, where they are what the broker is told."""
    known = _secret(cluster.password)
    return {} if cluster.mechanism == "OAUTHBEARER" else {name: cluster.username, password: known}


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
