"""`returnflow processes`: how the processes of a running `up` fare."""

import sys
from typing import TYPE_CHECKING

import click

from ops.cli.layout import Column
from ops.cli.settings import with_settings
from ops.cli.show import as_json, more, print_json, table

if TYPE_CHECKING:
    from schemas.settings import ProcessSettings

NOT_ALL_SERVE = 1
COLUMNS = (Column("process"), Column("state"), Column("pid"), Column("restarts"), Column("why", long=True))


@click.command(epilog=more("processes", "processes --data-dir other --json", columns=COLUMNS))
@with_settings("data-dir")
@as_json
def processes(settings: "ProcessSettings", as_json: bool) -> None:
    """How each process of the `up` that runs with this data directory fares; exit status 1 unless all serve.

    JSON: {up, processes: [{name, state, pid, restarts, last_exit, why, log}]}; state is starting, ready, not ready (it
    lives and waits, see why), hangs, paused or waiting (it is started again soon).
    """
    from ops import standing

    found = standing.standing(settings.data_dir)
    if found is None:
        click.echo(f"No `returnflow up` runs with the data directory {settings.data_dir}.", err=True)
        sys.exit(NOT_ALL_SERVE)
    if as_json:
        print_json(found)
    else:
        table(COLUMNS, [(p.name, p.state, p.pid, p.restarts, p.why) for p in found.processes])
    sys.exit(0 if all(each.state == "ready" for each in found.processes) else NOT_ALL_SERVE)
