"""Every command explains itself with examples that it would take, quickly, and a shell can complete it."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops.cli import COMMANDS, main

# What a command that looks must not load for its help; what help of all of them must not load.
PROCESSES = ("faust", "aiokafka", "ops.sandbox", "ops.demo", "streams.agents", "streams.sources", "uvicorn", "graphql")
HEAVY = (*PROCESSES, "pydantic", "confluent_kafka", "httpx", "fastavro", "sqlalchemy", "alembic", "rich", "asyncio")


WITHOUT_KAFKA = "import ops.kafka\nops.kafka.read = lambda *_, **__: iter(())\n"


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walked(found, (*path, name))


ALL = dict(walked(main))
EXAMPLES = [
    (path, line.strip())
    for path, command in ALL.items()
    for line in (command.epilog or "").splitlines()
    if line.startswith("  returnflow ")
]


def parses(typed: str) -> None:
    """Raises click.UsageError when the command would not take it."""
    words = shlex.split(re.split(r" [|>] ", typed)[0], comments=True)[1:]
    command: click.Command = main
    with click.Context(main) as context:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            if found is None:
                raise click.UsageError(f"no command {words[0]}")
            command, words = found, words[1:]
    if not isinstance(command, click.Group):
        command.make_context("returnflow", list(words))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_has_examples_of_its_own(path: tuple[str, ...]) -> None:
    help_text = CliRunner().invoke(main, [*path, "--help"], prog_name="returnflow").output
    shown = help_text.partition("Examples:\n")[2]
    assert re.search(rf"^ +returnflow {' '.join(path)}", shown, flags=re.MULTILINE), help_text
    assert max(map(len, help_text.splitlines())) <= 120


@pytest.mark.parametrize(("path", "typed"), [each for each in EXAMPLES if each[1] != "returnflow COMMAND --help"])
def test_an_example_is_taken_by_its_command(path: tuple[str, ...], typed: str) -> None:
    parses(typed)


def test_what_no_command_takes_is_noticed() -> None:
    for wrong in ("returnflow exceptions list --owner nobody", "returnflow nothing", "returnflow dlq show x 0 0"):
        with pytest.raises(click.UsageError):
            parses(wrong)


def loaded_by(*words: str, names: tuple[str, ...], more: dict[str, str] | None = None) -> tuple[str, list[str]]:
    """Standard output of a command in a process of its own, and which of the modules it had loaded at its end."""
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([n for n in {names} if n in sys.modules], file=sys.stderr))\n"
        f"sys.argv = ['returnflow', *{words}]\n{WITHOUT_KAFKA if words[1:] else ''}"
        "from ops.cli import main\nmain(prog_name='returnflow')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **(more or {})}
    )
    return done.stdout, eval(done.stderr.splitlines()[-1])  # our own line


def test_help_and_completion_load_nothing_that_takes_time() -> None:
    said, loaded = loaded_by("--help", names=HEAVY)
    assert all(f"  {name} " in said for name in COMMANDS)
    assert loaded == []
    asked = {"_RETURNFLOW_COMPLETE": "bash_complete", "COMP_WORDS": "returnflow ex", "COMP_CWORD": "1"}
    assert loaded_by(names=HEAVY, more=asked) == ("plain,exceptions\n", [])


@pytest.mark.parametrize("words", [("exceptions", "list"), ("line", "why", "R1"), ("patterns", "demo-shop")])
def test_commands_that_look_load_no_process(words: tuple[str, ...]) -> None:
    """Of a Kafka without records: everything is loaded by then that a look needs."""
    assert loaded_by(*words, names=(*PROCESSES, "httpx", "rich", "alembic"))[1] == []


def test_bash_completes_commands_options_kinds_and_merchants() -> None:
    lines = {
        "returnflow exc": "exceptions", "returnflow exceptions l": "list", "returnflow agent c": "cases",
        "returnflow exceptions list --owner fin": "finance", "returnflow line why --merchant d": "demo-shop",
        "returnflow nothing": "",
    }  # fmt: skip
    asked = "\n".join(
        f"COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}; COMPREPLY=(); _returnflow_completion returnflow; "
        'echo "${COMPREPLY[@]}"'
        for line in lines
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f'eval "$(returnflow completion bash)"\n{asked}'], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert dict(zip(lines, done.stdout.splitlines(), strict=True)) == lines, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_their_lines(shell: str) -> None:
    assert "_RETURNFLOW_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).output
