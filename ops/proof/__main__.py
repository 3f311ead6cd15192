"""`python -m ops.proof [--orders N] [--seed N]`: the proof, on every core."""

import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import click

from ops.proof.verdict import prove
from ops.sandbox.shopify.rounding import RULES

SHOWN = 20  # of what is wrong


@click.command(help=__doc__)
@click.option("--orders", default=5000, show_default=True, help="how many, each against every rounding rule")
@click.option("--seed", default=None, type=int, help="the same orders again; by default one at random")
def main(orders: int, seed: int | None) -> None:
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}: {orders} orders against {', '.join(RULES)}")
    started, wrong, refuted = time.monotonic(), 0, 0
    with ProcessPoolExecutor() as pool:
        for rule in RULES:
            found = pool.map(prove, repeat(seed), range(orders), repeat(rule), chunksize=25)
            for faults in found:
                refuted += bool(faults)
                for fault in faults[: max(SHOWN - wrong, 0)]:
                    click.echo(f"  {fault}")
                wrong += len(faults)
            click.echo(f"{rule}: done after {time.monotonic() - started:.0f} s, {wrong} wrong so far")
    click.echo(f"seed {seed}: {orders * len(RULES)} played, {refuted} refuted")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
