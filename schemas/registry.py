"""Schema ids from a Confluent-compatible registry. The only I/O of this package: HTTP to the registry.

Records are registered under our own ids where the registry imports ids; otherwise its own ids are used, and every
process learns them when it starts.
"""

import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from schemas import product
from schemas.catalogue import SCHEMA_IDS, avro_file
from schemas.codec import Codec, parse
from schemas.startup import CannotStart
from schemas.topics import CATALOGUE, RecordType, Topic

ANSWER_WITHIN_SECONDS = 10.0
# A registry that is down for a moment must not stop a worker in mid-flight.
TRIES_IN_FLIGHT = 3
_TYPE = "application/vnd.schemaregistry.v1+json"
_BY_NAME: dict[str, RecordType] = {f"returnflow.{record.__name__}": record for record in SCHEMA_IDS}


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A schema in the registry. `schema_id` is what the registry calls it, `own_id` what our files call it."""

    subject: str
    record: str
    schema_id: int
    own_id: int


class Refused(Exception):
    """The registry understood and said no; the message is its own."""


def codec_from(registry_url: str | None) -> Codec:
    """The codec of a process: ids of the registry when one is configured, else the checked-in ones.

    Raises CannotStart when the registry does not answer or lacks one of our schemas. Later, an unknown id in a record
    is looked up; if the registry is gone then, the process ends (SystemExit), so the record is read again, not lost.
    """
    if registry_url is None:
        return Codec()
    registry = Registry(registry_url)
    try:
        ids = {record: registry.require(topic.subject(record), record) for record, topic in _first_topics().items()}
    except (httpx.TransportError, Refused) as problem:
        raise CannotStart(_unusable(registry_url, problem)) from problem
    return Codec(ids, registry.lookup)


def register_all(registry_url: str) -> list[Registered]:
    """Every schema under every subject of the catalogue, with its compatibility rule. Raises CannotStart."""
    with Registry(registry_url) as registry:
        try:
            return [registry.register(topic, record) for topic, record in _subjects()]
        except (httpx.TransportError, Refused) as problem:
            raise CannotStart(_unusable(registry_url, problem)) from problem


class Registry:
    """The few calls we need of a Confluent-compatible registry."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            timeout=ANSWER_WITHIN_SECONDS,
            headers={"Content-Type": _TYPE, "Accept": _TYPE, **product.HEADERS},
            limits=httpx.Limits(max_keepalive_connections=0),  # asked once in a long while: hold no connection open
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def id_of(self, subject: str, record: RecordType) -> int | None:
        """The id of a record's schema under a subject, None when it is not registered."""
        answer = self._ask("POST", f"/subjects/{quote(subject, safe='')}", {"schema": _text(record)}, none=404)
        return None if answer is None else int(answer["id"])

    def require(self, subject: str, record: RecordType) -> int:
        """The id of a schema that must be registered."""
        found, shown = self.id_of(subject, record), _without_password(self._url)
        if found is None:
            raise CannotStart(
                f"expected the current schema of {record.__name__} under subject {subject} in the registry at "
                f"{shown}, found none. Run `returnflow topics apply --registry {shown}` first."
            )
        return found

    def register(self, topic: Topic, record: RecordType) -> Registered:
        """Set the subject's compatibility and register the schema; with our own id where the registry allows it."""
        subject, own_id = topic.subject(record), SCHEMA_IDS[record]
        path = quote(subject, safe="")
        self._ask("PUT", f"/config/{path}", {"compatibility": topic.compatibility})
        schema_id = self.id_of(subject, record) or self._import(path, record, own_id) or self._add(path, record)
        return Registered(subject=subject, record=record.__name__, schema_id=schema_id, own_id=own_id)

    def lookup(self, schema_id: int) -> tuple[RecordType, Any] | None:
        """Record type and writer schema of an id; None when the registry has no such id or it is not of ours."""
        for attempt in range(1, TRIES_IN_FLIGHT + 1):
            try:
                answer = self._ask("GET", f"/schemas/ids/{schema_id}", None, none=404)
                break
            except (httpx.TransportError, Refused) as problem:
                if attempt == TRIES_IN_FLIGHT:
                    raise SystemExit(f"schema id {schema_id}: {_unusable(self._url, problem)}") from problem
        if answer is None:
            return None
        schema = json.loads(answer["schema"])
        record = _BY_NAME.get(f"{schema.get('namespace', '')}.{schema.get('name', '')}")
        return None if record is None else (record, parse(schema))

    def _import(self, path: str, record: RecordType, own_id: int) -> int | None:
        """Register with our id; None when this registry does not import ids or has given the id away.

        A subject that has a version already takes the mode only by force: it holds an earlier schema of ours.
        """
        try:
            self._ask("PUT", f"/mode/{path}?force=true", {"mode": "IMPORT"})
        except Refused:
            return None
        try:
            body = {"schema": _text(record), "id": own_id, "version": self._next_version(path)}
            answer = self._ask("POST", f"/subjects/{path}/versions", body)
            return None if answer is None else int(answer["id"])
        except Refused:
            return None
        finally:
            self._ask("PUT", f"/mode/{path}", {"mode": "READWRITE"})

    def _next_version(self, path: str) -> int:
        found: Any = self._ask("GET", f"/subjects/{path}/versions", None, none=404)
        return 1 + max((int(each) for each in found or ()), default=0)

    def _add(self, path: str, record: RecordType) -> int:
        answer = self._ask("POST", f"/subjects/{path}/versions", {"schema": _text(record)})
        if answer is None:
            raise Refused(f"no answer for {path}")
        return int(answer["id"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, none: int = 0) -> dict[str, Any] | None:
        """The answer as JSON; None when it has the status `none`. Raises Refused for any other refusal."""
        response = self._client.request(method, f"{self._url}{path}", json=body)
        if response.status_code == none:
            return None
        if not response.is_success:
            raise Refused(f"{method} {path}: {response.status_code} {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer


def _text(record: RecordType) -> str:
    return json.dumps(avro_file(record))


def _subjects() -> Iterator[tuple[Topic, RecordType]]:
    for topic in CATALOGUE.values():
        for record in topic.records:
            yield topic, record


def _first_topics() -> dict[RecordType, Topic]:
    """One subject per record is enough to learn its id: equal schemas share one."""
    found: dict[RecordType, Topic] = {}
    for topic, record in _subjects():
        found.setdefault(record, topic)
    return found


def _without_password(url: str) -> str:
    return str(httpx.URL(url).copy_with(userinfo=b""))


def _unusable(url: str, problem: Exception) -> str:
    return (
        f"expected a Confluent-compatible schema registry at {_without_password(url)}, got: "
        f"{str(problem) or type(problem).__name__}. Start it or correct --registry / RETURNFLOW_REGISTRY_URL; "
        "without one the ids checked in with the schemas are used."
    )
