"""What a runbook tells people to type exists, with the options that it names."""

import re
import shlex
from pathlib import Path

import click
import pytest

from ops.cli import Root

BOOKS = sorted((Path(__file__).parents[2] / "ops" / "runbooks").glob("*.md"))
TYPED = sorted(
    {(book.stem, typed) for book in BOOKS for typed in re.findall(r"`(returnflow [^`]+)`", book.read_text())}
)


def test_the_runbooks_name_commands() -> None:
    assert len(TYPED) > 10


@pytest.mark.parametrize(("book", "typed"), TYPED)
def test_a_command_of_a_runbook_exists(book: str, typed: str) -> None:
    words = shlex.split(typed)[1:]
    command: click.Command = Root("returnflow")
    with click.Context(command, info_name="returnflow") as context:
        while isinstance(command, click.Group) and words:
            found = command.get_command(context, words[0])
            assert found is not None, f"{book}: `{typed}`: {command.name} has no command {words[0]}"
            command, words = found, words[1:]
        options = {name: each for each in command.params for name in each.opts if isinstance(each, click.Option)}
        places = [each for each in command.params if isinstance(each, click.Argument)]
        given = list(words)
        while given:
            word = given.pop(0)
            if not word.startswith("-"):
                assert places, f"{book}: `{typed}`: nothing takes {word}"
                places = places[1:] if places[0].nargs == 1 else places
                continue
            assert word in options, f"{book}: `{typed}`: there is no option {word}"
            given = given if options[word].is_flag else given[1:]
        assert not [each.name for each in places if each.required and each.nargs == 1], f"{book}: `{typed}`"
