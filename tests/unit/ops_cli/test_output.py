"""A reader who leaves early is no fault; an output that cannot be written is one, told in a line."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = [sys.executable, "-m", "ops.cli"]
FULL = "No space left on device"


def piped(command: str) -> tuple[str, int, str]:
    """Output, the command's own exit status, and what stood on standard error."""
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}} >&2"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    *said, status = done.stderr.splitlines()
    return done.stdout, int(status), "\n".join(said)


@pytest.mark.parametrize("command", ["topics list", "gateway --help"])
def test_a_reader_who_has_seen_enough_changes_nothing(command: str) -> None:
    said, status, errors = piped(f"returnflow {command} | head -1")
    assert (len(said.splitlines()), status, errors) == (1, 0, "")


def test_the_exit_status_stays_what_it_was() -> None:
    assert (
        piped("returnflow merchants diff merchants/demo-shop.toml merchants/examples/sitoo-stores.toml | true")[1] == 1
    )
    assert piped("returnflow exceptions list --kafka nonsense 2>&1 | true")[1] == 2


@pytest.mark.parametrize("command", ["topics list --json", "sink --help"])
def test_an_output_that_cannot_be_written_is_told_in_a_line(command: str) -> None:
    said = piped(f"returnflow {command} > /dev/full")
    assert said == ("", 74, f"returnflow: the output cannot be written: {FULL}")


def test_nowhere_to_tell_is_no_other_fault() -> None:
    assert piped("returnflow exceptions list --kafka nonsense 2> /dev/full")[1] == 2
    assert piped("returnflow topics list > /dev/full 2>&1")[1] == 74
    assert piped("returnflow topics list >&-")[1:] == (0, "")


def test_letters_that_an_alphabet_lacks_are_escaped() -> None:
    said, status, errors = piped("PYTHONIOENCODING=ascii returnflow merchants --help | cat")
    assert (status, errors, "Columns" in said or "Examples" in said) == (0, "", True)


@pytest.mark.parametrize("columns", [40, 80])
def test_on_a_terminal_a_table_is_as_wide_as_the_terminal(columns: int) -> None:
    """A real one: the width is the terminal's own."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    child = subprocess.Popen([*RUNS, "topics", "list"], stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    lines = said.decode().splitlines()
    assert child.wait() == 0
    assert max(map(len, lines)) <= columns
    assert not any("\t" in line for line in lines)
    assert "case-journal" in said.decode()
