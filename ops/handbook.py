"""`python -m ops.handbook`: the pages made from the code, so that they cannot go stale. Touches three files."""

import sys
from pathlib import Path

from schemas.exceptions import TYPES
from schemas.topics import CATALOGUE, DAY_MS, Topic
from streams.sources.envelope import OWN_EVENTS, RETURNGO_EVENTS
from streams.sources.subscriptions import SHOPIFY_TOPICS

TOP = Path(__file__).parents[1]


def exceptions_page() -> str:
    """One row for each exception type: what it means, who owns it, how soon, what to do."""
    rows = [
        f"| `{name}` | {each.meaning} | {each.owner} | {each.severity} | {each.hours} h | {each.next_step} |"
        for name, each in sorted(TYPES.items())
    ]
    head = (
        "# Exceptions\n\n"
        "What waits for a person, and for whom. `returnflow exceptions list` shows what is open; "
        "`returnflow line why RMA` shows the line.\n"
        "An exception opens once per cause, counts repeats, and closes by itself when its cause is gone. One that "
        "tells of a record that cannot be read or used closes when what it is about was read since, or by "
        "`returnflow exceptions resolve ID --why TEXT`: who, when and why are kept (`returnflow exceptions list "
        "--closed`).\n"
        "A merchant file may name another owner (`[owners]`).\n"
        "This page is made by `python -m ops.handbook`.\n\n"
        "| type | meaning | owner | severity | limit | what to do |\n|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def topics_page() -> str:
    """One row for each topic of the catalogue."""
    head = (
        "# Contracts\n\n"
        "Everything that crosses a process boundary: records (`facts.py`, `stock.py`, `commands.py`, `exceptions.py`, "
        "`journal.py`), their Avro files (`avro/`), topics (`topics.py`), wire format (`codec.py`), ids, money, "
        "merchant files.\n"
        "After a change of a record run `python -m schemas write` and review the Avro file; "
        "`compat.py` says whether the change is safe.\n"
        "How one comes to a schema registry later: [registry.md](registry.md).\n"
        "This page is made by `python -m ops.handbook`.\n\n"
        "| topic | key | records | kept | cleanup | compatibility | written by | read by | owner |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_row(topic) for topic in CATALOGUE.values()) + "\n"


def webhooks_page() -> str:
    """Where each system sends to, what to choose there, and how it proves itself."""
    shopify = "\n".join(f"- `{'/'.join(each.lower().rsplit('_', 1))}` (`{each}`)" for each in sorted(SHOPIFY_TOPICS))
    returngo = "\n".join(f"- `{each}`" for each in sorted(RETURNGO_EVENTS))
    doors = "\n".join(
        f"- {name}: {', '.join(f'`{each}`' for each in sorted(kinds))}; the body is described in "
        f"`streams/sources/{name}.py`"
        for name, kinds in OWN_EVENTS.items()
    )
    return (
        "# Webhooks\n\n"
        "The gateway takes them (`returnflow gateway`, or `up`; port 8080 unless told otherwise) at its public "
        "address, over https: put a proxy with a certificate before it. It answers 202 once Kafka has it, 401 to what "
        "is not proven, 413 to what is too large, 503 when it must be sent again. `<merchant>` is the name in the "
        "merchant file.\n"
        "Where the file names a `webhook_url`, Returnflow subscribes ReturnGO and Shopify by itself, looks after it, "
        "and raises what was lost (`subscription_lost`). Changes that no webhook told of are found by polls.\n"
        "This page is made by `python -m ops.handbook`.\n\n"
        "## ReturnGO: `POST /returngo/<merchant>/<token>`\n\n"
        "Nothing is signed, so the address is the secret: `<token>` is what `systems.returngo.webhook_token` means, "
        "any long random text of letters and digits. The body is only a signal; what happened is read from the API.\n\n"
        f"{returngo}\n\n"
        "## Shopify: `POST /shopify/<merchant>`\n\n"
        "Format JSON. Signed by Shopify with the client secret of the app that owns the subscription "
        "(`X-Shopify-Hmac-Sha256`): `systems.shopify.webhook_secrets` refers to it; during a rotation to two, the new "
        "one first.\n\n"
        f"{shopify}\n\n"
        "## Warehouse and carrier: `POST /warehouse/<merchant>`, `POST /carrier/<merchant>`\n\n"
        "Signed as Standard Webhooks prescribes (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; no "
        "older than five minutes). `systems.warehouse.webhook_secrets` and `systems.carrier.webhook_secrets` refer to "
        "the shared secret: base64 of at least 24 random bytes, with or without `whsec_` before it.\n\n"
        f"{doors}\n\n"
        "A delivery that was refused or never came shows in `returnflow_gateway_deliveries_total` by result.\n"
    )


PAGES = {
    "ops/runbooks/exceptions.md": exceptions_page,
    "ops/handbook/webhooks.md": webhooks_page,
    "schemas/README.md": topics_page,
}


def _row(topic: Topic) -> str:
    records = ", ".join(each.__name__ for each in topic.records) or "original bytes"
    kept = "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} d"
    who = (", ".join(topic.producers), ", ".join(topic.consumers))
    cells = (topic.name, topic.key, records, kept, topic.cleanup, topic.compatibility, *who, topic.owner)
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Write the pages anew."""
    for name, page in PAGES.items():
        (TOP / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
