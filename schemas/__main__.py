"""`python -m schemas write|check`: keep schemas/avro in step with the record types. Touches schemas/avro."""

import json
import sys
from pathlib import Path

from schemas.catalogue import SCHEMA_IDS
from schemas.derive import avro

FOLDER = Path(__file__).parent / "avro"


def texts() -> dict[str, str]:
    """What each file should hold, by file name."""
    return {f"{each.__name__}.avsc": json.dumps(avro(each), indent=2, ensure_ascii=False) + "\n" for each in SCHEMA_IDS}


def differences(folder: Path = FOLDER) -> list[str]:
    """One line for each file that is missing or has another content than it should, or belongs to no record."""
    wanted = texts()
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.avsc"))}
    stale = [f"{name}: is not what the record type says" for name in wanted if there.get(name) != wanted[name]]
    orphans = [f"{name}: belongs to no record of the catalogue" for name in there if name not in wanted]
    return [*stale, *orphans]


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Exit status 0 when the files are as they should be, 1 when not, 2 for a wrong call."""
    match arguments:
        case ["check"]:
            for line in (found := differences(folder)):
                print(line, file=sys.stderr)  # noqa: T201
            return 1 if found else 0
        case ["write"]:
            for name, text in texts().items():
                (folder / name).write_text(text, encoding="utf-8")
            return 0
        case _:
            print("expected `python -m schemas write` or `python -m schemas check`", file=sys.stderr)  # noqa: T201
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
