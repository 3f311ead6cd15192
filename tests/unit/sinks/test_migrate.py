"""A ledger that is up to date is opened without the tool that upgrades one."""

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from sinks.ledger.migrate import MIGRATIONS

OPENS = (
    "import sys; from sinks.ledger.engine import open_engine; open_engine(sys.argv[1]); print('alembic' in sys.modules)"
)


def test_the_newest_revision_is_the_last_file() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = max(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("r*.py"))
    assert ScriptDirectory.from_config(config).get_heads() == [newest]


def test_only_the_first_to_open_it_upgrades_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENS, f"sqlite:///{tmp_path}/ledger.db"]
    said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert said == ["True\n", "False\n"]
