"""Hand-written examples, readable without code: facts in, everything that follows out. `make golden` rewrites the
second half of each file; the difference is for review."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.merchant import Merchant
from tests.unit.domain.script import Script
from tests.unit.domain.told import end, every, told
from tests.unit.domain.world import World

FOLDER = Path(__file__).parents[2] / "golden" / "decisions"
EXAMPLES = sorted(FOLDER.glob("*/*.yaml"))
FOLLOWS = "# What follows, written by `make golden`:\nfollows: |\n"


def read(path: Path) -> Any:
    # every scalar stays text: 10.00 is an amount and 100 a name
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def merchant(path: Path, example: Any) -> Merchant:
    """The merchant of the example's folder, with the parts of it that the example overrides."""
    raw = tomllib.loads((path.parent / "merchant.toml").read_text(encoding="utf-8"))
    return Merchant.model_validate(_merged(raw, example.get("merchant", {})))


def _merged(raw: Any, over: Any) -> Any:
    if isinstance(raw, dict) and isinstance(over, dict):
        return raw | {key: _merged(raw.get(key), value) for key, value in over.items()}
    return over


def follows(path: Path) -> str:
    example = read(path)
    world = World(merchant(path, example))
    script = Script(example, world)
    show = {"every record": every, "what follows": told}[example.get("shows", "what follows")]
    lines: list[str] = []
    for step in example["facts"]:
        text, more = next(iter(step.items())) if isinstance(step, dict) else (step, {})
        lines.append(text)
        for fact in script.facts(text, more):
            lines += [f"  - {line}" for line in show(world.feed(fact))]
            world.acknowledge_marks(world.case.learnt.now_ms if world.case else 0)
    lines += ["in the end", *(f"  - {line}" for line in end(world))]
    return FOLLOWS + "".join(f"  {line}\n" for line in lines)


def parameters() -> list[Any]:
    found = []
    for path in EXAMPLES:
        marks = pytest.mark.req(*read(path)["proves"])
        found.append(pytest.param(path, id=f"{path.parent.name}-{path.stem}", marks=marks))
    return found


@pytest.mark.parametrize("path", parameters())
def test_the_example_ends_as_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    written, _, _ = text.partition(FOLLOWS)
    now = written + follows(path)
    if os.environ.get("RETURNFLOW_GOLDEN") == "write":
        path.write_text(now, encoding="utf-8")
        text = now
    assert text == now, f"{path.name} differs: see it, then `make golden`"


@pytest.mark.parametrize("model", sorted({path.parent.name for path in FOLDER.glob("*/merchant.toml")}))
def test_every_operating_model_has_its_examples(model: str) -> None:
    assert len([path for path in EXAMPLES if path.parent.name == model]) >= 8
