"""docker-compose.yml and what it mounts, compared with the code: nothing is missing, nothing is unknown to it."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from ops.cli import COMMANDS, main
from ops.sandbox_shop import SECRETS
from ops.up import Addresses, parts
from schemas.exceptions import Team
from schemas.merchant import load, load_all
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
        context = command.make_context(name, list(PROCESSES[name][1:]), parent=root)
    assert context.params


def test_all_commands_that_run_a_process_are_covered() -> None:
    processes = {name for name, (place, _) in COMMANDS.items() if place.startswith("ops.cli.processes:")}
    assert processes <= {command[0] for command in PROCESSES.values()}


def test_every_long_running_service_has_a_health_check_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if service["restart"] == "no":
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] == "unless-stopped"


def test_every_image_is_pinned_to_a_full_version() -> None:
    dockerfile = (TOP / "ops/Dockerfile").read_text(encoding="utf-8")
    images = [service["image"] for service in SERVICES.values() if service not in OURS.values()]
    images += re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)
    assert len(images) == 8
    assert [image for image in images if not re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)*", image)] == []


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


def test_the_environment_is_what_settings_and_merchant_file_ask_for() -> None:
    environment = COMPOSE["x-returnflow"]["environment"]
    known = {f"RETURNFLOW_{field.upper()}" for field in ProcessSettings.model_fields}
    assert {name for name in environment if name.startswith("RETURNFLOW_")} <= known
    assert {name: value for name, value in environment.items() if name not in known} == SECRETS
    asked = set(re.findall(r'"env:(\w+)"', (TOP / "merchants/demo-shop.toml").read_text(encoding="utf-8")))
    assert asked == set(SECRETS)
    assert all(service["environment"] == environment for service in OURS.values())


def test_everything_mounted_from_the_checkout_is_there() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount.startswith("./")]
    assert mounts
    assert [mount for mount in mounts if not (TOP / mount.split(":")[0]).exists()] == []


def test_prometheus_scrapes_every_process_but_the_sandbox() -> None:
    jobs = read("ops/compose/prometheus.yml")["scrape_configs"]
    found = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    names = {target.partition(":")[0] for targets in found.values() for target in targets}
    assert names == set(PROCESSES) - {"sandbox"}
    assert all(target.startswith(job) for job, targets in found.items() for target in targets)


def test_every_team_has_a_receiver_and_a_route() -> None:
    config = read("ops/compose/alertmanager.yml")
    teams = set(get_args(Team))
    assert {receiver["name"] for receiver in config["receivers"]} == teams
    routes = {route["receiver"]: route["matchers"] for route in config["route"]["routes"]}
    assert routes == {team: [f'owner="{team}"'] for team in teams}
    assert config["route"]["receiver"] in teams


def test_setup_gives_the_example_merchant_the_names_of_this_network(tmp_path: Path) -> None:
    calls, target = tmp_path / "calls", tmp_path / "merchants"
    target.mkdir()
    program = tmp_path / "returnflow"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RETURNFLOW_MERCHANTS": str(target)}
    script = [str(TOP / "ops/compose/setup.sh"), str(TOP / "merchants")]
    subprocess.run(["sh", *script], env=environment, check=True)
    shopify = load_all(target)["demo-shop"].systems.shopify
    assert shopify is not None
    assert shopify.base_url.startswith("http://sandbox:8900/")
    assert shopify.webhook_url == "http://gateway:8080"
    assert "127.0.0.1" not in (target / "demo-shop.toml").read_text(encoding="utf-8")
    assert calls.read_text(encoding="utf-8").splitlines() == ["merchants check", "topics apply", "ledger upgrade"]
