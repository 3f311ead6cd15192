"""Who asks which clock: the wall clock is asked in one place, and everything else is told the time or waits by another.

A clock that is set would else hold up whatever measured a wait by it. See schemas.clock.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Beside that place: what prints the time for a person, and an interface that wants it.
WALL = {
    "schemas/clock.py": {"time.time_ns"},  # the place
    "schemas/tokens.py": {"time.time"},  # librdkafka wants a token's end in Unix time, and counts from there itself
    "ops/foreground.py": {"datetime.now"},  # printed
}
# Tools that run for a moment, the stand-in for other systems, and measurements of ours.
ASIDE = ("ops/cli/", "ops/sandbox/", "ops/bench/", "ops/demo/", "ops/proof/")
ASKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}


def asked(path: Path) -> set[str]:
    """Wall clocks that a module asks."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found |= {f"time.{each.name}" for each in node.names}
    return found & ASKS


def test_nobody_else_asks_the_wall_clock() -> None:
    files = {
        str(path.relative_to(ROOT)): path
        for folder in ("schemas", "streams", "sinks", "ops")
        for path in (ROOT / folder).rglob("*.py")
    }
    found = {name: asked(path) for name, path in files.items() if not name.startswith(ASIDE)}
    assert {name: clocks for name, clocks in found.items() if clocks} == WALL
