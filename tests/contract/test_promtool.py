"""Prometheus accepts the rules, and they fire when they should (tests/conftest.py: machines without promtool)."""

import shutil
import subprocess
from pathlib import Path

ALERTS = Path(__file__).parents[2] / "ops" / "alerts"


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool; it must be there."""
    program = shutil.which("promtool")
    assert program, "CI must install the Debian package prometheus"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_prometheus_accepts_the_rules() -> None:
    done = promtool("check", "rules", *map(str, sorted(ALERTS.glob("*.yaml"))))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_fire_when_they_should() -> None:
    done = promtool("test", "rules", *map(str, sorted((ALERTS / "tests").glob("*.yaml"))))
    assert done.returncode == 0, done.stdout + done.stderr
