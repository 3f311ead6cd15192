"""What rules, boards and runbooks ask Prometheus for: names of series, and the labels that they name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

OPS = Path(__file__).parents[1] / "ops"
_SERIES = re.compile(r"\b(returnflow_[a-z_]+|process_[a-z_]+|up)\b(?:\{([^}]*)\})?")
_PATTERN = re.compile(r'\{__name__=~"([^"]+)"\}')
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_TOLD = re.compile(r"\$labels\.(\w+)")
# Prometheus adds these to whatever it reads.
ADDED = frozenset({"job", "instance"})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One expression: `labels` are named of the series as a whole, `matched` of each series by itself."""

    where: str
    series: frozenset[str]
    matched: frozenset[tuple[str, str]]
    labels: frozenset[str]
    patterns: frozenset[str] = frozenset()


def asked(where: str, expression: str, told: str = "") -> Asked:
    """What an expression names; `told` is text with its labels."""
    found = _SERIES.findall(_PATTERN.sub("", expression))
    labels = {each.strip() for group in _GROUPED.findall(expression) for each in group.split(",") if each.strip()}
    return Asked(
        where=where, series=frozenset(name for name, _ in found),
        matched=frozenset((name, label) for name, within in found for label in _MATCHER.findall(within)),
        labels=frozenset(labels | set(_TOLD.findall(told))) - ADDED, patterns=frozenset(_PATTERN.findall(expression)),
    )  # fmt: skip


def everything() -> Iterator[Asked]:
    """Every alert rule, every panel, and every series that a runbook names."""
    for file in sorted((OPS / "alerts").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield asked(rule["alert"], rule["expr"], " ".join(rule["annotations"].values()))
    for file in sorted((OPS / "dashboards").glob("*.json")):
        yield from _panels(json.loads(file.read_text())["panels"])
    for file in sorted((OPS / "runbooks").glob("*.md")):
        for query in re.findall(r"`([^`]*returnflow_[^`]*)`", file.read_text()):
            yield asked(f"runbook {file.stem}", query)


def _panels(panels: list[dict[str, Any]]) -> Iterator[Asked]:
    for panel in panels:
        for target in panel.get("targets", []):
            legend = " ".join(
                f"$labels.{each}" for each in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
            )
            yield asked(f"panel {panel['title']}", target["expr"], legend)
        yield from _panels(panel.get("panels", []))


def exported(pages: list[str]) -> dict[str, set[str]]:
    """Labels by name of every series that pages of metrics have, those that are declared and have none yet too."""
    found: dict[str, set[str]] = {"up": set(ADDED)}
    for line in "\n".join(pages).splitlines():
        if line.startswith("#"):
            _, what, name, *_ = line.split(" ", 3)
            if what == "TYPE":
                found.setdefault(name, set())
            continue
        name, _, rest = line.partition(" ")[0].partition("{")
        labels = re.findall(r'(\w+)="', line.partition("{")[2].rpartition("}")[0]) if rest else []
        found.setdefault(name, set()).update(labels, ADDED)
    return found


def missing(found: dict[str, set[str]]) -> list[str]:
    """What is asked for and not there, in words."""
    problems = []
    for each in everything():
        names = set(each.series) | {name for p in each.patterns for name in found if re.fullmatch(p, name)}
        if each.patterns and not names - each.series:
            problems.append(f"{each.where}: no series like {sorted(each.patterns)}")
        known = {name: _of(name, found) for name in names}
        problems += [f"{each.where}: no series {name}" for name, labels in known.items() if labels is None]
        problems += [
            f"{each.where}: {name} has no label {label}"
            for name, label in each.matched
            if label not in (known.get(name) or ())
        ]
        together = set().union(*(labels or () for labels in known.values()))
        problems += [
            f"{each.where}: {sorted(names)} have no label {each_label}" for each_label in each.labels - together
        ]
    return problems


def _of(name: str, found: dict[str, set[str]]) -> set[str] | None:
    """Labels of a series, or of a histogram that is named as a whole."""
    for each in (name, f"{name}_count"):
        if found.get(each):
            return found[each]
    return None
