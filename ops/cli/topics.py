"""`returnflow topics`: the catalogue, how Kafka differs from it, and creating what is missing."""

import sys
from typing import TYPE_CHECKING

import click

from ops.cli.faults import plain_faults
from ops.cli.layout import Column
from ops.cli.settings import with_settings
from ops.cli.show import as_json, more, on_terminal, print_json, say, table
from ops.when import lasting
from schemas.topics import CATALOGUE, Topic

if TYPE_CHECKING:
    from ops.topics import Difference
    from schemas.registry import Registered
    from schemas.settings import ProcessSettings

COLUMNS = (
    Column("topic"), Column("key"), Column("partitions"), Column("kept"), Column("owner"), Column("records", long=True),
)  # fmt: skip
DIFFERENCES = (
    Column("topic"), Column("what"), Column("catalogue"), Column("Kafka"), Column("remedy", long=True),
)  # fmt: skip


@click.group(epilog=more("topics list", "topics diff", "topics apply --replication 3"))
def topics() -> None:
    """Compare Kafka with the topic catalogue, create what is missing."""


@topics.command("list", epilog=more("topics list", "topics list --json", columns=COLUMNS))
@as_json
def list_topics(as_json: bool) -> None:
    """The catalogue: every topic, its key, partitions, retention, records and owner.

    JSON: a list of {name, key, partitions, retention_ms, cleanup, records, producers, consumers, owner, compatibility}.
    """
    if as_json:
        print_json([_row(each) for each in CATALOGUE.values()])
        return
    rows = [
        (t.name, t.key, t.partitions, _kept(t), t.owner, ", ".join(r.__name__ for r in t.records) or "original bytes")
        for t in CATALOGUE.values()
    ]
    table(COLUMNS, rows)


@topics.command(epilog=more("topics diff", "topics diff --kafka kafka.internal:9092", columns=DIFFERENCES))
@with_settings("kafka")
@as_json
def diff(settings: "ProcessSettings", as_json: bool) -> None:
    """What differs between Kafka and the catalogue. Exit status 1 when something does.

    JSON: a list of {topic, what, expected, actual, remedy}; `what` is missing, partitions or a setting's name.
    """
    from ops.kafka import admin
    from ops.topics import differences, read_actual

    with plain_faults(settings):
        found = differences(read_actual(admin(settings.kafka)))
    if as_json:
        print_json(found)
    elif found or not on_terminal():
        _print(found)
    if not found and not as_json:
        say(f"All {len(CATALOGUE)} topics are as in the catalogue.")
    sys.exit(1 if found else 0)


_APPLIED = more("topics apply", "topics apply --registry http://127.0.0.1:8081", columns=DIFFERENCES)


@topics.command("apply", epilog=_APPLIED)
@click.option("--replication", type=click.IntRange(1, 7), help="Copies of a new topic; else 3, or one per broker.")
@with_settings("kafka", "registry")
@as_json
def apply_topics(settings: "ProcessSettings", replication: int | None, as_json: bool) -> None:
    """Create what is missing, lengthen what is too short; with a registry, register the schemas. Deletes nothing.

    Exit status 1 when differences are left that need a person.
    JSON: {created: [topic], changed: [difference], left: [difference], schemas: [{subject, record, schema_id,
    own_id}]}.
    """
    from ops.kafka import admin
    from ops.topics import apply, differences, read_actual
    from schemas.registry import register_all

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
        if left or not on_terminal():
            _print(left)
        say(f"Topics: {len(CATALOGUE)} in all, {len(created)} created; settings changed: {len(changed)}.")
        if schemas:
            _say_schemas(schemas)
        if left:
            say("What is left needs a person: see the remedies.")
    sys.exit(1 if left else 0)


@topics.command(epilog=more("topics acls", "topics acls --json"))
@as_json
def acls(as_json: bool) -> None:
    """The least that each process may do in Kafka, one user each, as lines for Kafka's own kafka-acls.

    Add --bootstrap-server and --command-config to each line. The last users are for people: `look` for the commands
    that read, `merchants` for `merchants apply`, `exceptions` for `exceptions resolve`, `setup` for `topics apply`.
    JSON: a list of {process, user, resource, name, pattern, operations}.
    """
    import msgspec

    from ops.rights import rights

    if as_json:
        print_json([{**msgspec.to_builtins(each), "user": each.user} for each in rights()])
        return
    for each in rights():
        click.echo(each.line())


def _print(found: "list[Difference]") -> None:
    table(DIFFERENCES, [(d.topic, d.what, d.expected, d.actual, d.remedy) for d in found])


def _say_schemas(schemas: "list[Registered]") -> None:
    """Subjects share ids: one line per record tells all."""
    own = all(each.schema_id == each.own_id for each in schemas)
    say(f"Schemas: {len(schemas)} subjects registered under {'our own ids' if own else 'ids of the registry'}.")
    for record, theirs, ours in sorted({(each.record, each.schema_id, each.own_id) for each in schemas}):
        if not own:
            say(f"  {record}: {theirs} in the registry, {ours} in the files")


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
