"""Real processes in production mode: every line that they leave is JSON, also of a start that cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.ops.small_disk import ROOT

PROCESSES = ("gateway --port 0", "source shopify", "sink shopify", "lag --serve 1")


@pytest.mark.req("OPS-4")
def test_a_process_that_cannot_start_says_so_in_one_line_of_json(tmp_path: Path) -> None:
    env = {
        **os.environ, "RETURNFLOW_KAFKA_BOOTSTRAP": "127.0.0.1:1", "RETURNFLOW_LOG_FORMAT": "json",
        "RETURNFLOW_MERCHANTS": str(ROOT / "merchants" / "examples"), "RETURNFLOW_DATA_DIR": str(tmp_path),
        "RETURNFLOW_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
    }  # fmt: skip
    started = {
        each: subprocess.Popen(
            [sys.executable, "-W", "always", "-m", "ops.cli", *each.split()], env=env, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for each in PROCESSES
    }  # fmt: skip
    for name, process in started.items():
        out, err = process.communicate(timeout=90)
        lines = [json.loads(line) for line in err.splitlines()]
        assert (process.returncode, out, lines[-1]["event"]) == (2, "", "cannot_start"), (name, err)
        assert "expected" in lines[-1]["reason"], name
        assert all({"timestamp", "level", "process", "event"} <= line.keys() for line in lines), name
