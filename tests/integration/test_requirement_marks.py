"""The check of the `req` marks itself: a mark that proves nothing stops the run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("mark", "complaint"), [('"INV-1"', None), ('"INV-1", "INV-99"', "INV-99"), ("", "no id at all")]
)
def test_marks_name_requirements_that_exist(tmp_path: Path, mark: str, complaint: str | None) -> None:
    for name in ("conftest.py", "requirement_ids.txt"):
        shutil.copy(TESTS / name, tmp_path)
    test = f"import pytest\n\n@pytest.mark.req({mark})\ndef test_it():\n    assert True\n"
    (tmp_path / "test_marked.py").write_text(test, encoding="utf-8")
    settings = ["-c", str(TESTS.parent / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *settings, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent, timeout=120)
    expected = pytest.ExitCode.OK if complaint is None else pytest.ExitCode.USAGE_ERROR
    assert done.returncode == expected, done.stdout + done.stderr
    if complaint is not None:
        assert complaint in done.stderr
