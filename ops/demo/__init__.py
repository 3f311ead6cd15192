"""`returnflow demo`: a shop's day of returns through everything, judged by what really happened in the shop."""

import signal
import sys
import threading
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress

from ops.demo import judge, report
from ops.demo.judge import Verdict
from ops.demo.play import Played, play
from ops.demo.records import gather
from ops.demo.scenario import STORIES
from ops.demo.stage import Stage, other_shops, stage
from ops.demo.story import Story, morning
from schemas.settings import ProcessSettings

ENDS_WITHIN_SECONDS = 60.0
LOOK_EVERY_SECONDS = 1.0
# After everything is as it should be: time for what comes twice to come.
QUIET_SECONDS = 3.0
WIDE = 180  # columns where there is no terminal


def main(settings: ProcessSettings, *, stay: bool) -> int:
    """0 when every return ended as written and nothing was lost or doubled, else 1. `stay`: up until Ctrl-C."""
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    began = time.monotonic()

    def tell(name: str, what: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {name:<17} {what}", highlight=False, markup=False)

    with stage(settings, morning(STORIES), tell, also=other_shops(STORIES)) as running:
        played = _play(console, running, tell)
        verdict = settle(running, STORIES, played, tell)
        left = running.sandbox.faults_left()
        tell("faults", f"armed and not all hit: {'; '.join(left)}" if left else "every fault that was armed has hit")
        status = conclude(console, verdict, played)
        if stay:
            report.where(console, running, verdict)
            _until_interrupted(console)
    return status


def conclude(console: Console, verdict: Verdict, played: Played) -> int:
    """Print what happened and the one line about it; the exit status that says the same."""
    report.returns(console, verdict, played)
    report.exceptions(console, verdict)
    report.differences(console, verdict)
    console.print(report.line(verdict), style="green" if verdict.good else "bold red", highlight=False)
    return 0 if verdict.good else 1


def settle(stage: Stage, stories: tuple[Story, ...], played: Played, tell: Callable[[str, str], None]) -> Verdict:
    """The verdict once all is as it should be and stays so, or when time is up."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    verdict = look(stage, stories, played)
    said = ""
    while not verdict.good and time.monotonic() < deadline:
        left = (*verdict.wrong, *verdict.lost, *verdict.doubled)
        if left[0] != said:
            said = left[0]
            tell("day", f"{len(left)} not there yet, such as {said}")
        time.sleep(LOOK_EVERY_SECONDS)
        verdict = look(stage, stories, played)
    tell("day", "all is as it should be; waiting for what might come twice" if verdict.good else "time is up")
    time.sleep(QUIET_SECONDS)
    return look(stage, stories, played)


def look(stage: Stage, stories: tuple[Story, ...], played: Played) -> Verdict:
    """How things are now."""
    return judge.judge(stories, played.rmas, stage.sandbox.books(), gather(stage))


def _play(console: Console, running: Stage, tell: Callable[[str, str], None]) -> Played:
    tell("day", f"{len(STORIES)} stories of a shop's day begin")
    if not console.is_terminal:
        hours: set[str] = set()

        def plain(at: str, done: int, of: int) -> None:
            if at[:2] not in hours:
                hours.add(at[:2])
                tell("day", f"it is {at[:2]}:00 in the shop, {done} of {of} steps")

        return play(running, STORIES, plain)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("the shop's day")
        return play(running, STORIES, lambda at, done, of: bar.update(task, description=at, completed=done, total=of))


def _until_interrupted(console: Console) -> None:
    console.print("Everything stays up until Ctrl-C.")
    done = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: done.set())
    try:
        done.wait()
    finally:
        signal.signal(signal.SIGINT, before)
