"""Plays the day: every step of every story at its time, an hour of the shop in a few seconds.

Touches the sandbox, the gateway and, where a story says so, kills a process.
"""

import time
from collections.abc import Callable
from typing import assert_never

import msgspec

from ops.demo.stage import Stage
from ops.demo.story import Fault, Inspected, Kill, Requested, Rma, Sold, Staff, Step, Story
from ops.demo.words import minutes_of

SECONDS_PER_HOUR = 4.5
OF_NO_ORDER = ("rate", "restock", "location", "tracking", "store-credit")  # what staff do to the shop, not to an order
# Called after every step: the time of the shop's day, and how many of how many steps are done.
Progress = Callable[[str, int, int], None]


class Played(msgspec.Struct):
    """What became of the stories while they were played."""

    rmas: dict[str, list[str]] = {}  # RMA ids by story, oldest first
    ready_ms: dict[str, int] = {}  # when the last step of a story was taken, epoch ms


def play(
    stage: Stage, stories: tuple[Story, ...], progress: Progress, seconds_per_hour: float = SECONDS_PER_HOUR
) -> Played:
    """The whole day, in its order; behind its time it hurries. Raises client.Refused when a step is not taken."""
    steps = sorted(
        ((minutes_of(at), number, at, story, step) for story in stories for number, (at, step) in enumerate(story.day)),
        key=lambda each: each[:2],
    )
    played = Played()
    began, first = time.monotonic(), steps[0][0]
    for done, (minute, _, at, story, step) in enumerate(steps, 1):
        due = began + (minute - first) / 60 * seconds_per_hour
        time.sleep(max(0.0, due - time.monotonic()))
        _take(stage, story, step, played)
        played.ready_ms[story.name] = time.time_ns() // 1_000_000
        progress(at, done, len(steps))
    return played


def _take(stage: Stage, story: Story, step: Step, played: Played) -> None:
    order, rmas, shop = story.order["name"], played.rmas.setdefault(story.name, []), stage.shops[story.shop]
    match step:
        case Sold():
            stage.sandbox.sell(shop, story.order)
        case Requested():
            body = {key: value for key, value in step.body.items() if key != "again"}
            rmas.append(stage.sandbox.request(shop, {"order": order, "units": list(story.units), **body}))
        case Rma():
            stage.sandbox.step(shop, rmas[-1], step.step, step.body)
        case Staff():
            about = {} if step.action in OF_NO_ORDER else {"order": order}
            stage.sandbox.staff(shop, step.action, {**about, **step.body})
        case Inspected():
            stage.warehouse.inspected(rmas[-1], step.lines)
        case Fault():
            stage.sandbox.fault(step.body)
        case Kill():
            stage.supervisor.kill(step.process)
        case _:
            assert_never(step)
