"""One command for people: quick help, plain faults, exit status that programs can trust."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ops.cli import COMMANDS, Root, main
from schemas.startup import CannotStart

HEAVY = ("pydantic", "confluent_kafka", "httpx", "fastavro", "sqlalchemy", "rich.table", "aiokafka")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says_and_explains_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")


def test_help_lists_everything_and_loads_none_of_it() -> None:
    script = (
        "import sys; from ops.cli import main; main(['--help'], standalone_mode=False);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fault_at_start_is_one_plain_message_and_status_2() -> None:
    result = CliRunner().invoke(main, ["topics", "diff", "--kafka", "nonsense"])
    assert result.exit_code == 2
    assert result.stderr == "returnflow: --kafka: expected host:port, several with commas, got 'nonsense'\n"
    assert result.stdout == ""


def test_an_unreachable_broker_is_named_with_what_to_do() -> None:
    result = CliRunner().invoke(main, ["topics", "diff", "--kafka", "127.0.0.1:1"])
    assert result.exit_code == 2
    assert "expected a Kafka at 127.0.0.1:1, got:" in result.stderr
    assert "--kafka or RETURNFLOW_KAFKA_BOOTSTRAP" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unreachable_registry_is_named_with_what_to_do() -> None:
    result = CliRunner().invoke(main, ["line", "why", "R1", "--registry", "http://127.0.0.1:1"])
    assert result.exit_code == 2
    assert "expected a Confluent-compatible schema registry at http://127.0.0.1:1" in result.stderr


def test_a_ledger_that_cannot_be_opened_is_named_without_its_password() -> None:
    url = "postgresql://returnflow:hunter2@127.0.0.1:1/ledger"
    result = CliRunner().invoke(main, ["ledger", "upgrade", "--ledger", url])
    assert result.exit_code == 2
    assert "127.0.0.1:1/ledger" in result.stderr
    assert "hunter2" not in result.output


def test_missing_merchants_are_named() -> None:
    result = CliRunner().invoke(main, ["merchants", "check", "--merchants", "/no/such/folder"])
    assert result.exit_code == 2
    assert result.stderr.startswith("returnflow: /no/such/folder: expected at least one merchant file")


@pytest.mark.parametrize("name", ["gateway", "source returngo", "agent cases", "sink shopify"])
def test_a_process_with_a_bad_setting_never_starts(name: str) -> None:
    result = CliRunner().invoke(main, [*name.split(), "--metrics-port", "99999"])
    assert result.exit_code == 2
    line = json.loads(result.stderr)  # of a log
    assert (line["event"], line["reason"]) == ("cannot_start", "--metrics-port: expected 0 to 65535, got '99999'")


def told_by(problem: BaseException) -> Result:
    """What comes of a command that raises."""

    @click.command()
    def raises() -> None:
        raise problem

    return CliRunner().invoke(Root(name="root", commands={"raises": raises}), ["raises"])


def test_cannot_start_is_told_in_its_own_words() -> None:
    result = told_by(CannotStart("expected X, got Y; do Z"))
    assert (result.exit_code, result.stderr) == (2, "returnflow: expected X, got Y; do Z\n")


def test_ctrl_c_ends_quietly() -> None:
    result = told_by(KeyboardInterrupt())
    assert (result.exit_code, result.output) == (130, "")


def test_a_bug_of_ours_keeps_its_traceback() -> None:
    assert isinstance(told_by(ZeroDivisionError()).exception, ZeroDivisionError)


def test_a_command_of_a_process_tells_a_person_what_is_wrong(tmp_path: Path) -> None:
    """`returnflow sandbox` logs lines for machines; `returnflow sandbox return` is for people."""
    argv = [sys.executable, "-m", "ops.cli", "sandbox", "return", "--data-dir", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("returnflow: expected a running `returnflow up --sandbox`")
