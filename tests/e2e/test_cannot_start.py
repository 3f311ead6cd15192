"""What keeps a process from starting is said in one plain message, with exit status 2."""

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.demo.merchants import secrets_of
from ops.up import environment
from tests import processes
from tests.e2e.day import played
from tests.e2e.world import CALM, World
from tests.processes import Done

NOBODY = "127.0.0.1:9"
# what is wrong → (command line, variables, what the message names)
WRONG: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
    "no merchant folder": (("gateway", "--port", "0"), {"MERCHANTS": "{here}/none"}, ("none", "merchant file")),
    "broken merchant file": (("source", "shopify"), {"MERCHANTS": "{here}/broken"}, ("broken", "TOML")),
    "unknown key": (("agent", "stock"), {"MERCHANTS": "{here}/unknown"}, ("unknown", "model.colour")),
    "no secret": (("sink", "returngo"), {"secret": ""}, ("DEMO_SHOP_RETURNGO_KEY",)),
    "no broker": (("agent", "cases"), {"KAFKA_BOOTSTRAP": NOBODY}, (NOBODY,)),
    "no broker for the gateway": (("gateway", "--port", "0"), {"KAFKA_BOOTSTRAP": NOBODY}, (NOBODY,)),
    "no broker for a sink": (("sink", "shopify"), {"KAFKA_BOOTSTRAP": NOBODY}, (NOBODY,)),
    "no broker for a source": (("source", "returngo"), {"KAFKA_BOOTSTRAP": NOBODY}, (NOBODY,)),
    "bad broker address": (("source", "returngo"), {"KAFKA_BOOTSTRAP": "nonsense"}, ("nonsense", "host:port")),
    "no registry": (("agent", "cases"), {"REGISTRY_URL": f"http://{NOBODY}"}, (NOBODY,)),
    "bad registry address": (("gateway",), {"REGISTRY_URL": "ftp://x"}, ("ftp://x",)),
    "no database": (("sink", "shopify"), {"LEDGER_URL": f"postgresql://u:hidden@{NOBODY}/x"}, (NOBODY,)),
    "no database for a source": (("source", "shopify"), {"LEDGER_URL": f"postgresql://u:hidden@{NOBODY}/x"}, (NOBODY,)),
    "bad database address": (("sink", "returngo"), {"LEDGER_URL": "mysql://u:hidden@x/y"}, ("mysql",)),
}  # fmt: skip


def attempt(world: World, here: Path, name: str) -> Done:
    """A process that is to fail."""
    arguments, variables, _ = WRONG[name]
    env = {**os.environ, **environment(world.stage.settings), **secrets_of(CALM)}
    env |= {"RETURNFLOW_MERCHANTS": str(here / "good"), "RETURNFLOW_DATA_DIR": str(here / "data")}
    env |= {f"RETURNFLOW_{each}": value.format(here=here) for each, value in variables.items() if each != "secret"}
    if "secret" in variables:
        del env["DEMO_SHOP_RETURNGO_KEY"]
    return processes.done("ops.cli", arguments, env)


@pytest.mark.req("OPS-10")
@played
def test_a_start_that_cannot_be_is_one_plain_message(world: World) -> None:
    with tempfile.TemporaryDirectory(prefix="returnflow-wrong-") as folder, ThreadPoolExecutor(2) as pool:
        here = prepared(world, Path(folder))
        ends = pool.map(lambda name: attempt(world, here, name), WRONG)
        problems = [each for name, done in zip(WRONG, ends, strict=True) for each in complaints(name, done)]
    assert problems == []


def prepared(world: World, here: Path) -> Path:
    """Folders of merchant files, good and bad."""
    text = (world.stage.settings.merchants / f"{CALM}.toml").read_text(encoding="utf-8")
    for name, broken in {"broken": "merchant = ", "unknown": f"{text}\n[model.colour]\n", "good": text}.items():
        (here / name).mkdir()
        (here / name / "shop.toml").write_text(broken, encoding="utf-8")
    return here


def complaints(name: str, done: Done) -> list[str]:
    """What is not as it should be: status 2 and one line, beside the log, that names what is wrong."""
    lines = [json.loads(each) if each.startswith("{") else {"event": "plain"} for each in done.stderr.splitlines()]
    told = [each for each in lines if each["event"] in ("plain", "cannot_start")]
    alarms = [each for each in lines if each not in told and each["level"] != "info"]
    missing = [each for each in WRONG[name][2] if each not in done.stderr]
    secret = "hidden" in done.stdout + done.stderr
    if done.returncode == 2 and len(told) == 1 and not (alarms or missing or secret):
        return []
    return [f"{name}: status {done.returncode}, {missing} not named, said: {done.stdout}{done.stderr}"]
