"""docker-compose.yml and what it mounts, compared with the code: nothing is missing, nothing is unknown to it."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml

from ops.cli import COMMANDS, main
from ops.sandbox_shop import SECRETS
from ops.up import Addresses, parts
from schemas.exceptions import Team
from schemas.merchant import load
from schemas.secrets import FOLDER
from schemas.settings import ProcessSettings

TOP = Path(__file__).parents[4]
COMPOSE: dict[str, Any] = yaml.safe_load((TOP / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "returnflow:local"}
PROCESSES = {name: service["command"] for name, service in OURS.items() if "command" in service}


def read(path: str) -> Any:
    return yaml.safe_load((TOP / path).read_text(encoding="utf-8"))


def test_every_process_that_the_example_merchant_needs_is_there_and_no_other() -> None:
    example = load(TOP / "merchants" / "demo-shop.toml")
    wanted = {part.name for part in parts({example.merchant: example}, Addresses())} | {"sandbox", "lag"}
    assert set(PROCESSES) == wanted
    named = {"-".join(word for word in command if word.isalpha()) for command in PROCESSES.values()}
    assert named == wanted


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_the_command_line_of_each_process_is_one_that_the_cli_takes(name: str) -> None:
    with main.make_context("returnflow", list(PROCESSES[name])) as root:
        command = main.get_command(root, PROCESSES[name][0])
        assert command is not None
        rest = list(PROCESSES[name][1:])
        if isinstance(command, click.Group) and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        context = command.make_context(name, rest, parent=root)
    assert context.params


def test_all_commands_that_run_a_process_are_covered() -> None:
    processes = {
        name for name, (place, _) in COMMANDS.items() if place.startswith(("ops.cli.processes:", "ops.cli.sink:"))
    }
    assert processes <= {command[0] for command in PROCESSES.values()}


def test_every_long_running_service_has_a_health_check_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if service["restart"] == "no":
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] == "unless-stopped"


def test_every_image_is_pinned_to_a_full_version_and_to_its_content() -> None:
    dockerfile = (TOP / "ops/Dockerfile").read_text(encoding="utf-8")
    images = [service["image"] for service in SERVICES.values() if service not in OURS.values()]
    images += re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)
    assert len(images) == 8
    pinned = r"(quay\.io/)?[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)*@sha256:[0-9a-f]{64}"
    assert [image for image in images if not re.fullmatch(pinned, image)] == []


def test_the_image_is_built_by_hashes_and_runs_without_root() -> None:
    dockerfile = (TOP / "ops/Dockerfile").read_text(encoding="utf-8")
    last = dockerfile.rpartition("\nFROM ")[2]
    assert "USER returnflow" in last
    assert "--require-hashes --requirement requirements.lock" in dockerfile
    online = [line for line in dockerfile.splitlines() if re.search(r"pip (install|wheel)", line)]
    assert len(online) == 3
    assert all("--no-index" in line for line in online)


def test_our_processes_run_with_the_least_rights_and_publish_on_this_machine_only() -> None:
    for service in OURS.values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_environment_is_what_settings_know_and_holds_no_secret() -> None:
    environment = COMPOSE["x-returnflow"]["environment"]
    known = {f"RETURNFLOW_{field.upper()}" for field in ProcessSettings.model_fields} | {FOLDER}
    assert set(environment) <= known
    assert all(service["environment"] == environment for service in OURS.values())


def test_secrets_of_any_number_of_merchants_lie_in_one_folder_that_every_process_sees() -> None:
    folder = COMPOSE["x-returnflow"]["environment"][FOLDER]
    for name, command in PROCESSES.items():
        mounts = {mount.split(":")[-2]: mount.split(":")[-1] for mount in OURS[name]["volumes"]}
        assert (mounts[folder], mounts["/etc/returnflow/merchants"]) == ("ro", "ro"), command


def test_the_merchant_of_the_sandbox_is_the_worked_example_under_the_names_of_this_network() -> None:
    text = (TOP / "merchants/demo-shop.toml").read_text(encoding="utf-8")
    text = text.replace("//127.0.0.1:8900", "//sandbox:8900").replace("//127.0.0.1:8080", "//gateway:8080")
    text = text.replace("\nbase_url = ", "\nplain_http = true\nbase_url = ")
    for name in SECRETS:
        text = text.replace(f"env:{name}", f"file:/run/secrets/returnflow/demo-shop/{_file(name)}")
    assert (TOP / "ops/compose/merchants/demo-shop.toml").read_text(encoding="utf-8") == text
    kept = {each.name: each.read_text(encoding="ascii") for each in (TOP / "ops/compose/secrets/demo-shop").iterdir()}
    assert kept == {_file(name): f"{value}\n" for name, value in SECRETS.items()}


def _file(name: str) -> str:
    return name.removeprefix("DEMO_SHOP_").lower().replace("_", "-")


def test_no_password_has_a_default_and_one_command_makes_them_all(tmp_path: Path) -> None:
    text = (TOP / "docker-compose.yml").read_text(encoding="utf-8")
    asked = re.findall(r"\$\{(\w*PASSWORD)(:?[^}]*)\}", text)
    assert asked
    assert {rest.partition("?")[0] for _, rest in asked} == {":"}
    script = tmp_path / "ops/compose/passwords.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes((TOP / "ops/compose/passwords.sh").read_bytes())
    first = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True)
    made = dict(line.split("=") for line in (tmp_path / ".env").read_text().splitlines())
    assert set(made) == {name for name, _ in asked}
    assert len({*made.values()}) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in made.values())
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert not any(value in first.stdout + first.stderr for value in made.values())
    again = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert dict(line.split("=") for line in (tmp_path / ".env").read_text().splitlines()) == made


def test_everything_mounted_from_the_checkout_is_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount.startswith("./")]
    assert mounts
    assert [mount for mount in mounts if not (TOP / mount.split(":")[0]).exists()] == []


def test_prometheus_finds_every_process_but_the_sandbox() -> None:
    jobs = read("ops/compose/prometheus.yml")["scrape_configs"]
    assert {job["job_name"] for job in jobs} == set(PROCESSES) - {"sandbox"}
    for job in jobs:  # by name, so that each container of a service is found
        (found,) = job["dns_sd_configs"]
        assert (found["names"], found["type"], found["port"]) == ([job["job_name"]], "A", 9400)


def test_what_may_be_scaled_publishes_no_port_and_has_no_name_of_its_own() -> None:
    for name, command in PROCESSES.items():
        if command[0] in ("agent", "sink", "source"):
            assert not {"ports", "container_name"} & set(OURS[name]), name


def test_every_team_has_a_receiver_and_a_route() -> None:
    config = read("ops/compose/alertmanager.yml")
    teams = set(get_args(Team))
    assert {receiver["name"] for receiver in config["receivers"]} == teams
    routes = {route["receiver"]: route["matchers"] for route in config["route"]["routes"]}
    assert routes == {team: [f'owner="{team}"'] for team in teams}
    assert config["route"]["receiver"] in teams


def test_setup_goes_on_though_a_merchant_is_not_in_order(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    program = tmp_path / "returnflow"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ "$1" != merchants ]\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(TOP / "ops/compose/setup.sh")], env=environment, check=True, capture_output=True)
    assert calls.read_text(encoding="utf-8").splitlines() == ["merchants check", "topics apply", "ledger upgrade"]
