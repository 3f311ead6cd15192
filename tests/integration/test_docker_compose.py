"""Debian's docker-compose accepts docker-compose.yml (see tests/conftest.py for machines without it)."""

import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def composed(*arguments: str, **passwords: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("docker-compose")
    assert program, "CI must install the Debian package docker-compose"
    command = [program, "--file", str(TOP / "docker-compose.yml"), *arguments]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **passwords}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env, cwd=TOP)


def test_docker_compose_accepts_the_file_once_there_are_passwords() -> None:
    passwords = {"RETURNFLOW_POSTGRES_PASSWORD": "one-of-my-own", "RETURNFLOW_GRAFANA_PASSWORD": "another"}
    done = composed("config", "--services", **passwords)
    assert done.returncode == 0, done.stderr
    assert {"kafka", "gateway", "agent-cases", "sink-shopify"} <= set(done.stdout.split())
    for name in passwords:
        without = composed("config", **{each: value for each, value in passwords.items() if each != name})
        assert without.returncode != 0
        assert "passwords.sh" in without.stderr
