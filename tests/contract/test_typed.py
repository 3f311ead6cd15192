"""What people are told to type exists: in exceptions, runbooks, the README, the handbook, alerts, messages."""

import re
from pathlib import Path

import click
import pytest

from schemas.exception_types import TYPES
from tests.unit.ops_cli.test_help import parses

TOP = Path(__file__).parents[2]
TEXTS = [
    TOP / "README.md",
    TOP / "CONTRIBUTING.md",
    *sorted((TOP / "ops").rglob("*.md")),
    *sorted((TOP / "ops" / "alerts").glob("*.yaml")),
    *sorted((TOP / "sinks").rglob("*.md")),
    *sorted((TOP / "schemas").glob("*.md")),
    *sorted((TOP / "merchants").rglob("*.toml")),
    *sorted(path for package in ("ops", "schemas", "streams", "sinks") for path in (TOP / package).rglob("*.py")),
]
# What stands for a value of one kind in texts, where a command takes no other word.
STANDS_FOR = {
    "PARTITION": "0", "OFFSET": "0", "<system>": "shopify", "SYSTEM": "shopify", "TOPIC": "cases-dead-letters",
    "PORT": "8080",
}  # fmt: skip
UNFINISHED = {"command", "<command>", "…", "COMMAND"}


def typed(text: str) -> set[str]:
    """Every `returnflow …` in backquotes, and every line of an example that begins so."""
    quoted = re.findall(r"`(returnflow [^`\n]+)`", text)
    lines = re.findall(r"^(?:    )?(returnflow [a-z].*?)(?:\s+#.*)?$", text, flags=re.MULTILINE)
    return {each for each in (*quoted, *lines) if each.split()[1] not in UNFINISHED}


def named(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return typed(text)
    return {each for each in typed(text) if "`" + each + "`" in text and "{" not in each}


FOUND = sorted({(str(path.relative_to(TOP)), each) for path in TEXTS for each in named(path)})


def test_commands_are_named_everywhere() -> None:
    assert len(FOUND) > 60
    assert {place.partition("/")[0] for place, _ in FOUND} >= {"README.md", "ops", "schemas", "streams", "sinks"}


@pytest.mark.parametrize(("place", "line"), FOUND)
def test_a_command_that_a_text_names_is_one(place: str, line: str) -> None:
    words = " ".join(STANDS_FOR.get(word, word) for word in line.split(" "))
    strict = place.startswith("ops/runbooks") or place == "schemas/exception_types.py"
    try:
        parses(words)
    except click.MissingParameter as problem:  # its name alone tells of it; what is to be typed has all that it takes
        if strict or not all(word.islower() and word.isalpha() for word in words.split()):
            pytest.fail(f"{place}: `{line}`: {problem.format_message()}")
    except click.UsageError as problem:
        pytest.fail(f"{place}: `{line}`: {problem.format_message()}")


@pytest.mark.req("EXC-1")
@pytest.mark.parametrize("name", TYPES)
def test_a_next_step_names_only_what_there_is(name: str) -> None:
    step = TYPES[name].next_step
    for each in typed(step):
        parses(each)
    for book in re.findall(r"runbook (\w+)", step):
        assert (TOP / "ops" / "runbooks" / f"{book}.md").exists()
    assert not re.search(r"\b(retry|assign|resubmit|then resolve)\b", step)
