"""House rules that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.handbook import PAGES

TOP = Path(__file__).parents[2]
PACKAGES = ("schemas", "streams", "sinks", "ops")
SOURCES = sorted(path for package in PACKAGES for path in (TOP / package).rglob("*.py"))
# The agent guard and the sink runtime: the only places where an unforeseen fault of ours is caught, and made visible.
BROAD = {
    "sinks/attempt.py",
    "sinks/ledger/ledger.py",
    "streams/shell/agent.py",
    "streams/shell/batch.py",
    "streams/shell/consumer.py",
    "streams/shell/guarded.py",
}


def texts() -> list[tuple[str, str]]:
    """(path, text) of every file that is kept in version control."""
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\n")
    found = []
    for name in filter(None, listed):
        path = TOP / name
        if path.is_file() and path.suffix not in {".gz", ".png"}:
            found.append((name, path.read_text(encoding="utf-8")))
    return found


def swallows(path: Path) -> bool:
    """Whether a module has a broad except that does not raise again."""
    handlers = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.ExceptHandler)]
    broad = [each for each in handlers if each.type is None or ast.unparse(each.type) in ("Exception", "BaseException")]
    return any(not isinstance(each.body[-1], ast.Raise) for each in broad)


def test_broad_excepts_stand_only_where_they_are_meant_to() -> None:
    assert {str(path.relative_to(TOP)) for path in SOURCES if swallows(path)} == BROAD


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TOP)))
def test_a_file_is_for_one_thing(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    assert path.stem not in {"utils", "helpers", "helper", "common", "manager", "base", "misc"}


def test_every_package_says_that_it_is_typed_and_every_module_what_it_is_for() -> None:
    for package in PACKAGES:
        assert (TOP / package / "py.typed").exists(), package
    silent = [str(p.relative_to(TOP)) for p in SOURCES if p.read_text().strip() and not p.read_text().startswith('"""')]
    assert silent == []


def test_the_tree_names_no_machine_and_promises_no_more_than_it_keeps() -> None:
    forbidden = re.compile(
        "|".join(("exactly" + "[ -]once", r"\.\./" + "shared", "/" + "work" + "/", "/" + "tmp" + "/[a-z]")),
        re.IGNORECASE,
    )
    allowed = {"tests/contract/test_house.py", "tests/unit/systems/test_conformance.py"}  # they forbid it too
    found = [
        f"{name}:{number}"
        for name, text in texts()
        if name not in allowed
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_the_pages_that_are_made_from_the_code_are_up_to_date() -> None:
    for name, page in PAGES.items():
        assert (TOP / name).read_text() == page(), f"{name}: run `python -m ops.handbook`"


def test_the_readme_names_targets_and_commands_that_exist() -> None:
    readme, makefile = (TOP / "README.md").read_text(), (TOP / "Makefile").read_text()
    targets = set(re.findall(r"^make ([a-z]+)", readme, flags=re.MULTILINE))
    assert targets == {"demo", "test"}
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
    for line in re.findall(r"^returnflow (.+?)(?:\s+#.*)?$", readme, flags=re.MULTILINE):
        words = [word for word in line.split() if word.islower() and not word.startswith("-")]
        done = CliRunner().invoke(main, [*words, "--help"])
        assert done.exit_code == 0, f"returnflow {' '.join(words)}: {done.output}"


def test_imports_point_down_and_pure_code_is_pure() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool], cwd=TOP, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


# How a client library is told where Kafka is. Said once, with TLS and users.
ADDRESSES = ("bootstrap.servers", "bootstrap_servers", "metadata.broker.list", "broker_credentials", "kafka://")
TELLS_ADDRESSES = {"schemas/kafka.py", "streams/shell/credentials.py"}
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AdminClient", "App", "Consumer", "Producer",
           "DeserializingConsumer", "SerializingProducer"}  # fmt: skip
# The address alone, for a message, a child's settings or the broker that we start ourselves.
PLAIN_ADDRESS = {"ops/cli/settings.py", "ops/closing.py", "ops/demo/stage.py",
                 "ops/foreground.py", "ops/preflight.py", "ops/up.py", "schemas/settings.py"}  # fmt: skip
TOLD = re.compile(r"\b(librdkafka|aiokafka|connection|quiet)\(")


def clients(path: Path) -> list[str]:
    """Every Kafka client that a module makes, as it is written there."""
    calls = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
    return [ast.unparse(each) for each in calls if ast.unparse(each.func).rpartition(".")[2] in CLIENTS]


def test_every_kafka_client_is_told_of_its_cluster_by_the_one_home() -> None:
    for path in SOURCES:
        name, text = str(path.relative_to(TOP)), path.read_text()
        said = [each for each in ADDRESSES if each in text]
        assert not said or name in TELLS_ADDRESSES, (name, said)
        assert "kafka_bootstrap" not in text or name in PLAIN_ADDRESS, name
        for client in clients(path):
            assert TOLD.search(client), (name, client)
