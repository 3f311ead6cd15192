"""An identity provider on loopback: it gives clients who know their secret a signed token, for a few seconds each."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ISSUER, KEY_ID = "https://identity.example", "key-1"


class IdentityProvider:
    """`away`: it answers nobody with a token; `given`: all tokens so far, by client."""

    def __init__(self, secret_of: Callable[[str], str], lives_seconds: int) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret_of, self._lives = secret_of, lives_seconds
        self.away = False
        self.url = ""
        self.given: list[tuple[str, str]] = []

    def keys(self) -> bytes:
        """What a broker needs to know whose tokens these are (JWKS)."""
        public = self._key.public_key().public_numbers()
        point = {name: _text(number.to_bytes(32, "big")) for name, number in (("x", public.x), ("y", public.y))}
        key = {"kty": "EC", "crv": "P-256", "kid": KEY_ID, "use": "sig", "alg": "ES256", **point}
        return json.dumps({"keys": [key]}).encode()

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """As RFC 6749 has it."""
        if self.away:
            return 503, {"message": "we will be back"}
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        if secret != self._secret_of(client):
            return 401, {"error": "invalid_client", "error_description": f"{secret} is not the secret"}
        token = self._signed(client)
        self.given.append((client, token))
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self._lives}

    def _signed(self, client: str) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": client, "iat": now, "exp": now + self._lives, "scope": "kafka"}
        head = {"alg": "ES256", "typ": "JWT", "kid": KEY_ID}
        text = ".".join(_text(json.dumps(each).encode()) for each in (head, claims))
        r, s = utils.decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@contextmanager
def identity_provider(
    secret_of: Callable[[str], str], lives_seconds: int, certificate: Path | None = None
) -> Iterator[IdentityProvider]:
    """Served until the block ends, with TLS where there is a certificate."""
    provider = IdentityProvider(secret_of, lives_seconds)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status, told = provider.answer(self.headers["authorization"], parse_qs(body))
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
            """The test's output is not for this."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        provider.url = f"{scheme}://127.0.0.1:{server.server_port}/oauth/token"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
