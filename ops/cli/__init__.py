"""The `returnflow` command. A subcommand is imported when it is used: help is quick, parts are independent."""

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from ops.cli import output
from ops.cli.show import more
from schemas.startup import CannotStart

INTERRUPTED = 130
LOG_FORMAT = "RETURNFLOW_LOG_FORMAT"
CONSOLE = frozenset({"console", "--log-format=console"})
HELP = frozenset({"-h", "--help"})
WORDS = f"{__name__}.words"  # that the command was started with
OWN_FILES_ONLY = 0o077  # ledger, tables, logs and Kafka's data hold what others of the machine must not read

# section → command → (where it is, what it does)
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Everything": {
        "demo": ("ops.cli.whole:demo", "A shop's day of returns through a real Kafka, against the sandbox."),
        "up": ("ops.cli.whole:up", "Every process, supervised, in this terminal."),
        "bench": ("ops.cli.whole:bench", "Measure speed, as ratios within one run."),
    },
    "Processes": {
        "gateway": ("ops.cli.processes:gateway", "Receive webhooks and append them to Kafka."),
        "source": ("ops.cli.processes:source", "Read one system and publish what it says as facts."),
        "agent": ("ops.cli.processes:agent", "Decide: the cases agent or the stock agent."),
        "sink": ("ops.cli.sink:sink", "Apply the commands for one system; pause and resume it."),
        "sandbox": ("ops.cli.sandbox:sandbox", "Stand in for ReturnGO and Shopify; make a return in it."),
    },
    "Look": {
        "line": ("ops.cli.line:line", "Where a return is, why, and what would move it on."),
        "exceptions": ("ops.cli.exceptions:exceptions", "What a person must look at, with owner and next step."),
        "patterns": ("ops.cli.patterns:patterns", "What comes back, by reason, SKU, location, disposition, time."),
        "dlq": ("ops.cli.dlq:dlq", "Dead letters: what was set aside and why."),
        "budget": ("ops.cli.budget:budget", "How far the calls of a day last, and what is left out until then."),
        "processes": ("ops.cli.standing:processes", "How each process of a running `up` fares."),
        "lag": ("ops.cli.lag:lag", "How far each consumer group is behind, in records and seconds."),
    },
    "Set up": {
        "erase": ("ops.cli.erase:erase", "Forget an order or a customer, and say what was removed where."),
        "topics": ("ops.cli.topics:topics", "Compare Kafka with the topic catalogue, create what is missing."),
        "ledger": ("ops.cli.ledger:ledger", "Create or upgrade the ledger's tables."),
        "merchants": ("ops.cli.merchants:merchants", "Write, check, compare and apply merchant files."),
        "completion": ("ops.cli.completion:completion", "Let your shell complete commands, options and names."),
    },
}
# They run until they are told to end: what becomes of their output is for whoever started them.
LASTING = frozenset({*SECTIONS["Everything"], *SECTIONS["Processes"]})
COMMANDS = {name: place for section in SECTIONS.values() for name, place in section.items()}


class Lasting(click.Command):
    """A process of its own below a group whose other commands are for people."""


class Root(click.Group):
    """Finds subcommands by name, and turns a fault at start into one plain message and exit status 2."""

    def main(self, args: Sequence[str] | None = None, **more: Any) -> Any:  # type: ignore[override]
        """`args`: of whoever calls it; a process of its own has those that it was started with."""
        if args is not None or self._lasts(sys.argv[1:]):
            return super().main(args, **more)
        output.guarded()
        try:
            return super().main(**more)
        finally:
            output.flushed()

    def _lasts(self, words: list[str]) -> bool:
        if not words or words[0] not in LASTING or HELP.intersection(words):
            return False
        command = self.get_command(click.Context(self), words[0])
        if not isinstance(command, click.Group):
            return True
        short = {name for name, each in command.commands.items() if not isinstance(each, Lasting)}
        return not short & set(words[1:])

    def _logs(self, words: list[str]) -> bool:
        """Whether what it says goes to a log of lines for machines."""
        if os.environ.get(LOG_FORMAT, "json") != "json" or CONSOLE.intersection(words):
            return False
        process = words[0] in SECTIONS["Processes"] and self._lasts(words)
        return process or (words[0] == "lag" and "--serve" in words)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """From the table, without importing what it names."""
        begun = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*begun, *click.Command.shell_complete(self, ctx, incomplete)]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        os.umask(OWN_FILES_ONLY)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter ends no command
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except CannotStart as problem:
            if self._logs(ctx.meta[WORDS]):
                from ops.logs import cannot_start

                cannot_start(problem, str(ctx.invoked_subcommand))
            else:
                click.echo(f"returnflow: {problem}", err=True)
            sys.exit(problem.status)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


@click.group(
    cls=Root,
    context_settings={"help_option_names": sorted(HELP), "max_content_width": 110},
    epilog=more("demo", "up --sandbox", "line why RMA", "exceptions list --owner finance", "COMMAND --help"),
)
@click.version_option(package_name="returnflow", message="%(prog)s %(version)s")
def main() -> None:
    """Keep returns, stock and money in step between ReturnGO and the systems that own them.

    Every command reads its settings from RETURNFLOW_… variables; options override them.
    On a terminal, tables fit its width. In a pipe or a file they are one header line and a line for each row, with tabs
    between and nothing cut; sentences about them go to standard error. --json prints a document instead.

    Exit status: 0 done, 1 something is wrong with what was looked at, 2 the command could not start, 74 its output
    could not be written. A reader who leaves early (`| head`) changes nothing.
    """
