"""Process settings from the environment, overridden by options that commands share. Reads the environment."""

import functools
import getpass
import re
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from schemas.startup import CannotStart

if TYPE_CHECKING:  # help and completion need no settings
    from pydantic_core import ErrorDetails

    from schemas.codec import Codec
    from schemas.settings import ProcessSettings


class _Override(NamedTuple):
    flag: str
    field: str
    metavar: str
    expected: str
    help: str


_OVERRIDES = {
    each.flag.removeprefix("--"): each
    for each in (
        _Override("--kafka", "kafka_bootstrap", "HOST:PORT", "host:port, several with commas", "Kafka to use"),
        _Override(
            "--registry", "registry_url", "URL", "http://… or https://…", "schema registry, none: ids of the files"
        ),
        _Override("--ledger", "ledger_url", "URL", "sqlite:///file or postgresql://…", "database of the ledger"),
        _Override("--merchants", "merchants", "FOLDER", "a folder of *.toml files", "folder with merchant files"),
        _Override("--data-dir", "data_dir", "FOLDER", "a folder", "where Kafka, ledger, tables and logs are kept"),
        _Override("--metrics-port", "metrics_port", "PORT", "0 to 65535", "port of the metrics endpoint, 0: none"),
        _Override("--log-level", "log_level", "LEVEL", "debug, info, warning or error", "what is logged"),
        _Override("--log-format", "log_format", "FORMAT", "json or console", "how it is logged"),
    )
}
_BY_FIELD = {each.field: each for each in _OVERRIDES.values()}
ALL = tuple(_OVERRIDES)
_PREFIX = "RETURNFLOW_"
SECRETS = frozenset({"kafka_sasl_password", "kafka_key_password"})


def who_says(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command that is recorded the option --by: whoever runs it, unless somebody else is named."""
    return click.option("--by", callback=_or_you, help=f"{text} (else you, as USER@HOST).")


def _or_you(_context: click.Context, _option: click.Parameter, given: str | None) -> str:
    return given or f"{getpass.getuser()}@{socket.gethostname()}"


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the named options and pass it `settings: ProcessSettings`; a bad value is CannotStart."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(**values: Any) -> Any:
            given = {_OVERRIDES[name].field: values.pop(name.replace("-", "_")) for name in names}
            return command(settings=settings({k: v for k, v in given.items() if v is not None}), **values)

        for name in reversed(names):
            each = _OVERRIDES[name]
            text = f"{each.help[0].upper()}{each.help[1:]} (else {_PREFIX}{each.field.upper()})."
            run = click.option(each.flag, name.replace("-", "_"), metavar=each.metavar, help=text)(run)
        return run

    return decorate


def settings(given: dict[str, str]) -> "ProcessSettings":
    """Settings from options and environment; raises CannotStart with one line for each value that cannot be used."""
    import pydantic

    from schemas.settings import ProcessSettings

    try:
        return ProcessSettings(**given)  # type: ignore[arg-type]  # text is what the model parses
    except pydantic.ValidationError as error:
        problems = error.errors(include_url=False)
        lines = [_line(each, given) for each in problems if each["type"] != "default_factory_not_called"]
        raise CannotStart("\n".join(lines)) from error


def codec_of(settings: "ProcessSettings") -> "Codec":
    """As `schemas.registry.codec_from`; without a registry none of what asks one is loaded."""
    if settings.registry_url is None:
        from schemas.codec import Codec

        return Codec()
    from schemas.registry import codec_from

    return codec_from(settings.registry_url)


def without_password(url: object) -> str:
    """A URL fit for a message."""
    shown = re.sub(r"(?<=//)[^/@\s]*@", "***@", str(url))
    return re.sub(r"(?i)([?&]\w*password=)[^&\s]*", r"\1***", shown)


def _line(problem: "ErrorDetails", given: dict[str, str]) -> str:
    if not problem["loc"]:  # of several settings together: the text names them
        return str(problem["ctx"]["error"])
    field = str(problem["loc"][0])
    if field in SECRETS:  # whoever wrote the secret itself there must not find it in a log
        return f"{_PREFIX}{field.upper()}: expected a reference env:NAME or file:/path, got something else (not shown)"
    came = without_password(problem["input"])
    each = _BY_FIELD.get(field)
    if each is None:
        return f"{_PREFIX}{field.upper()}: {problem['msg']}, got {came!r}"
    name = each.flag if field in given else f"{_PREFIX}{field.upper()}"
    return f"{name}: expected {each.expected}, got {came!r}"
