"""`returnflow ledger batch`: from what the shop's own history names to the commands behind it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import main
from sinks.ledger import batches, effects
from sinks.ledger.batches import Applied, Member, Opening
from sinks.ledger.claims import Claim
from sinks.ledger.ledger import Ledger

BATCH = "5b2f0c7e-1d2c-4a57-9b1e-0d6a4c1c9f10"
REFERENCE = f"gid://returnflow/RestockBatch/{BATCH}"


async def written(url: str) -> None:
    """Two restocks that were applied together."""
    ledger = Ledger(url)
    for number in (1, 2):
        claim = Claim(
            command_id=f"c{number}", merchant="shop", system="shopify", kind="restock", key=f"shop|S{number}",
            fingerprint="f", idempotency_key="k", worker="w", now_ms=1_000, until_ms=2_000, arrival=None,
        )  # fmt: skip
        await ledger.do(effects.claim, claim)
    opening = Opening(
        batch_id=BATCH, merchant="shop", system="shopify", body=b"{}", reference=REFERENCE,
        members=(Member(command_id="c1", holder="w"), Member(command_id="c2", holder="w")), holder="w/b1",
        now_ms=1_000, until_ms=2_000,
    )  # fmt: skip
    await ledger.run(lambda connection: batches.open_batch(connection, opening))
    end = Applied(external_ids={"adjustment_id": "9"}, moved=frozenset())
    await ledger.run(lambda connection: batches.applied(connection, batch_id=BATCH, end=end, now_ms=1_500))
    ledger.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/ledger.db"
    asyncio.run(written(found))
    return found


@pytest.mark.req("STA-3", "INV-16")
@pytest.mark.parametrize("name", [BATCH, REFERENCE])
def test_a_batch_names_its_commands(url: str, name: str) -> None:
    result = CliRunner().invoke(main, ["ledger", "batch", name, "--ledger", url, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["state"], found["external_ids"], found["reference"]) == ("applied", {"adjustment_id": "9"}, REFERENCE)
    assert [each["command_id"] for each in found["commands"]] == ["c1", "c2"]
    shown = CliRunner().invoke(main, ["ledger", "batch", name, "--ledger", url]).stdout
    assert all(word in shown for word in (REFERENCE, "applied", "adjustment_id 9", "c1", "c2"))


def test_a_batch_that_nobody_knows_is_said_to_be_so(url: str) -> None:
    result = CliRunner().invoke(main, ["ledger", "batch", "none", "--ledger", url])
    assert result.exit_code == 1
    expected = "expected the id of a batch, or its name in the system's own history, got 'none'"
    assert result.stderr == f"{expected}: the ledger at {url} knows none.\n"
