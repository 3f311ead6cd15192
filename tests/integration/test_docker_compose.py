"""Debian's docker-compose accepts docker-compose.yml (see tests/conftest.py for machines without it)."""

import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_docker_compose_accepts_the_file() -> None:
    program = shutil.which("docker-compose")
    assert program, "CI must install the Debian package docker-compose"
    command = [program, "--file", str(TOP / "docker-compose.yml"), "config", "--services"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {"kafka", "gateway", "agent-cases", "sink-shopify"} <= set(done.stdout.split())
