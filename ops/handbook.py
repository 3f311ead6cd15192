"""`python -m ops.handbook`: the pages made from the code, so that they cannot go stale. Touches two files."""

import sys
from pathlib import Path

from schemas.exceptions import TYPES
from schemas.topics import CATALOGUE, DAY_MS, Topic

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
        "An exception opens once per cause, counts repeats, and clears by itself when its cause is gone.\n"
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


PAGES = {"ops/runbooks/exceptions.md": exceptions_page, "schemas/README.md": topics_page}


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
