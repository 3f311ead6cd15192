"""`returnflow completion`: what a shell needs to complete our commands, options and values."""

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from ops.cli.show import more

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_RETURNFLOW_COMPLETE"  # asks the command for completions instead of its work
_EPILOG = more(
    "completion bash > ~/.local/share/bash-completion/completions/returnflow",
    "completion zsh > ~/.zfunc/_returnflow      # with fpath+=~/.zfunc before compinit in ~/.zshrc",
    "completion fish > ~/.config/fish/completions/returnflow.fish",
)


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the lines that make SHELL complete `returnflow …`: commands, options, kinds, names of merchants.

    Keep them where your shell looks for them, as below, or run them at its start: eval "$(returnflow completion bash)".
    """
    from ops.cli import main

    made = get_completion_class(shell)
    assert made is not None  # SHELLS are those that click knows
    click.echo(made(main, {}, "returnflow", VARIABLE).source())


def merchants(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of merchants that begin so: their files' names, wherever the environment says they are."""
    folder = Path(os.environ.get("RETURNFLOW_MERCHANTS", "merchants"))
    return [CompletionItem(each.stem) for each in sorted(folder.glob("*.toml")) if each.stem.startswith(begun)]
