"""`returnflow topics`: the catalogue, how Kafka differs from it, and creating what is missing."""

import sys

import click
import msgspec

from ops.cli.faults import plain_faults
from ops.cli.settings import with_settings
from ops.cli.show import as_json, console, print_json, table
from ops.kafka import admin
from ops.rights import rights
from ops.topics import Difference, apply, differences, read_actual
from ops.when import lasting
from schemas.registry import Registered, register_all
from schemas.settings import ProcessSettings
from schemas.topics import CATALOGUE, Topic


@click.group()
def topics() -> None:
    """Compare Kafka with the topic catalogue, create what is missing."""


@topics.command("list")
@as_json
def list_topics(as_json: bool) -> None:
    """The catalogue: every topic, its key, partitions, retention, records and owner.

    JSON: a list of {name, key, partitions, retention_ms, cleanup, records, producers, consumers, owner, compatibility}.
    """
    if as_json:
        print_json([_row(each) for each in CATALOGUE.values()])
        return
    rows = [
        (t.name, t.key, t.partitions, _kept(t), ", ".join(r.__name__ for r in t.records) or "bytes", t.owner)
        for t in CATALOGUE.values()
    ]
    console().print(table(("topic", "key", "parts", "kept", "records", "owner"), rows, wrap="records"))


@topics.command()
@with_settings("kafka")
@as_json
def diff(settings: ProcessSettings, as_json: bool) -> None:
    """What differs between Kafka and the catalogue. Exit status 1 when something does.

    JSON: a list of {topic, what, expected, actual, remedy}; `what` is missing, partitions or a setting's name.
    """
    with plain_faults(settings):
        found = differences(read_actual(admin(settings.kafka)))
    if as_json:
        print_json(found)
    elif found:
        _print(found)
    else:
        click.echo(f"{len(CATALOGUE)} topics are as in the catalogue.")
    sys.exit(1 if found else 0)


@topics.command("apply")
@click.option("--replication", type=click.IntRange(1, 7), help="Copies of a new topic; else 3, or one per broker.")
@with_settings("kafka", "registry")
@as_json
def apply_topics(settings: ProcessSettings, replication: int | None, as_json: bool) -> None:
    """Create what is missing, lengthen what is too short; with a registry, register the schemas. Deletes nothing.

    Exit status 1 when differences are left that need a person.
    JSON: {created: [topic], changed: [difference], left: [difference], schemas: [{subject, record, schema_id,
    own_id}]}.
    """
    with plain_faults(settings):
        client = admin(settings.kafka)
        mended = apply(client, replication)
        left = differences(read_actual(client))
        schemas = register_all(settings.registry_url) if settings.registry_url is not None else []
    created = [each.topic for each in mended if each.what == "missing"]
    changed = [each for each in mended if each.what != "missing"]
    if as_json:
        print_json({"created": created, "changed": changed, "left": left, "schemas": schemas})
    else:
        click.echo(f"{len(created)} topics created, {len(changed)} settings changed, {len(CATALOGUE)} in all.")
        if schemas:
            _print_schemas(schemas)
        if left:
            _print(left)
    sys.exit(1 if left else 0)


@topics.command()
@as_json
def acls(as_json: bool) -> None:
    """The least that each process may do in Kafka, one user each, as lines for Kafka's own kafka-acls.

    Add --bootstrap-server and --command-config to each line. The last users are for people: `look` for the commands
    that read, `merchants` for `merchants apply`, `setup` for `topics apply`.
    JSON: a list of {process, user, resource, name, pattern, operations}.
    """
    if as_json:
        print_json([{**msgspec.to_builtins(each), "user": each.user} for each in rights()])
        return
    for each in rights():
        click.echo(each.line())


def _print(found: list[Difference]) -> None:
    rows = [(d.topic, d.what, d.expected, d.actual, d.remedy) for d in found]
    console().print(table(("topic", "what", "catalogue", "Kafka", "remedy"), rows, wrap="remedy"))


def _print_schemas(schemas: list[Registered]) -> None:
    """Subjects share ids: one line per record tells all."""
    own = all(each.schema_id == each.own_id for each in schemas)
    click.echo(f"{len(schemas)} subjects registered under {'our own' if own else 'the registry’s'} ids.")
    rows = sorted({(each.record, each.schema_id, each.own_id) for each in schemas})
    if not own:
        console().print(table(("record", "id in the registry", "id in the files"), rows))


def _kept(topic: Topic) -> str:
    kept = "for ever" if topic.retention_ms < 0 else lasting(topic.retention_ms / 1000)
    return f"{kept}, compacted" if topic.cleanup != "delete" else kept


def _row(topic: Topic) -> dict[str, object]:
    return {
        "name": topic.name,
        "key": topic.key,
        "partitions": topic.partitions,
        "retention_ms": topic.retention_ms,
        "cleanup": topic.cleanup,
        "records": [each.__name__ for each in topic.records],
        "producers": topic.producers,
        "consumers": topic.consumers,
        "owner": topic.owner,
        "compatibility": topic.compatibility,
    }
