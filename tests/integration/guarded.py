"""A Kafka that lets in only whom it knows: TLS both ways, SCRAM-SHA-512 or signed tokens, and a right for everything
that is done."""

import datetime
import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ops.kafka import admin
from ops.local.kafka import Guard, LocalKafka
from ops.rights import Right
from schemas.kafka import Cluster

KEY_PASSWORD = "key-password-of-the-client"
ADMIN = "admin"


def password_of(user: str) -> str:
    """Every user's own."""
    return f"password-of-{user}"


class Issuer:
    """A certificate authority of this test run."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signs = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_agreement=False,
            key_encipherment=False, data_encipherment=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .add_extension(signs, True)
        )  # fmt: skip
        self.certificate = self._pem(made.sign(self._key, hashes.SHA256()))

    def issue(self, name: str, key_password: str | None = None) -> tuple[bytes, bytes]:
        """A certificate for 127.0.0.1 and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = builder.add_extension(here, False).sign(self._key, hashes.SHA256())
        locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if key_password is not None:
            locked = serialization.BestAvailableEncryption(key_password.encode())
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self._pem(certificate), key.private_bytes(encoding, form, locked)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)
        )  # fmt: skip

    @staticmethod
    def _pem(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates on disk; `stranger` is an authority that signed none of them."""

    ca: Path
    stranger: Path
    server: Path
    certificate: Path
    key: Path


def write_files(folder: Path) -> Files:
    """All certificates of a run."""
    issuer = Issuer("test authority")
    certificate, key = issuer.issue("broker")
    mine, locked = issuer.issue("client", KEY_PASSWORD)
    contents = {
        "ca": issuer.certificate, "stranger": Issuer("another authority").certificate,
        "server": key + certificate + issuer.certificate, "certificate": mine, "key": locked,
    }  # fmt: skip
    for name, content in contents.items():
        (folder / f"{name}.pem").write_bytes(content)
    return Files(**{name: folder / f"{name}.pem" for name in contents})


def variables(bootstrap: str, files: Files, user: str) -> dict[str, str]:
    """What a process is told to come in as that user; the secrets are in variables of their own."""
    return {
        "RETURNFLOW_KAFKA_BOOTSTRAP": bootstrap,
        "RETURNFLOW_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "RETURNFLOW_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "RETURNFLOW_KAFKA_SASL_USERNAME": user,
        "RETURNFLOW_KAFKA_SASL_PASSWORD": "env:KAFKA_PASSWORD",
        "RETURNFLOW_KAFKA_CA_FILE": str(files.ca),
        "RETURNFLOW_KAFKA_CERTIFICATE_FILE": str(files.certificate),
        "RETURNFLOW_KAFKA_KEY_FILE": str(files.key),
        "RETURNFLOW_KAFKA_KEY_PASSWORD": "env:KAFKA_KEY_PASSWORD",
        "KAFKA_PASSWORD": password_of(user),
        "KAFKA_KEY_PASSWORD": KEY_PASSWORD,
    }


def with_token(variables: dict[str, str], files: Files, token_url: str) -> dict[str, str]:
    """The same user, who shows a token instead of a password."""
    return {
        **variables,
        "RETURNFLOW_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "RETURNFLOW_KAFKA_OAUTH_TOKEN_URL": token_url,
        "SSL_CERT_FILE": str(files.ca),
    }


def as_admin(files: Files) -> Cluster:
    """Who may do everything; its secrets have to be in the environment of who asks."""
    return Cluster(
        bootstrap="", protocol="sasl_ssl", mechanism="SCRAM-SHA-512", username=ADMIN, password="env:ADMIN_PASSWORD",
        ca_file=str(files.ca), certificate_file=str(files.certificate), key_file=str(files.key),
        key_password="env:KAFKA_KEY_PASSWORD",
    )  # fmt: skip


@contextmanager
def guarded_kafka(files: Files, users: Iterable[str], keys: Path) -> Iterator[LocalKafka]:
    """The broker, with its users and without any right yet; tokens count that are signed with one of `keys` (JWKS).

    A connection lives no longer than its token.
    """
    login = f'username="{ADMIN}" password="{password_of(ADMIN)}"'
    tokens, module = "listener.name.sasl_ssl.oauthbearer", "org.apache.kafka.common.security.oauthbearer"
    properties = {
        "listener.name.sasl_ssl.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM", "ssl.keystore.location": str(files.server),
        "ssl.truststore.type": "PEM", "ssl.truststore.location": str(files.ca),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER", "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "inter.broker.listener.name": "SASL_SSL",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config":
            f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};",
        f"{tokens}.sasl.jaas.config": f"{module}.OAuthBearerLoginModule required;",
        f"{tokens}.sasl.server.callback.handler.class": f"{module}.OAuthBearerValidatorCallbackHandler",
        f"{tokens}.sasl.oauthbearer.jwks.endpoint.url": keys.as_uri(),
        f"{tokens}.connections.max.reauth.ms": "3600000",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",  # the controller's listener, which no client reaches
    }  # fmt: skip
    known = [
        part
        for user in (ADMIN, *users)
        for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password_of(user)}]")
    ]
    guard = Guard(
        protocol="SASL_SSL", properties=properties, format_options=tuple(known), admin=as_admin(files)
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("JDK_JAVA_OPTIONS", f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}")
        kafka = stack.enter_context(LocalKafka.start(guard=guard))
        patch.undo()
        yield kafka


def grant(kafka: LocalKafka, rights: Iterable[Right]) -> None:
    """Exactly these, to users of the proposed names."""
    wanted = [
        AclBinding(
            ResourceType.BROKER if right.resource == "cluster" else ResourceType[right.resource.upper()],
            right.name, ResourcePatternType[right.pattern.upper()], f"User:{right.user}", "*",
            _OPERATIONS[operation], AclPermissionType.ALLOW,
        )
        for right in rights
        for operation in right.operations
    ]  # fmt: skip
    asked = admin(kafka.cluster)  # its answers never come once it is collected
    for done in asked.create_acls(wanted).values():
        done.result(30)


_OPERATIONS = {
    "Read": AclOperation.READ, "Write": AclOperation.WRITE, "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": AclOperation.ALTER_CONFIGS, "Delete": AclOperation.DELETE,
}  # fmt: skip
