"""A shop's day: every return of the scenario."""

from ops.demo.scenario import berlin, faults, goods, lyon, money, odd, oslo, stock, usual
from ops.demo.story import Story

STORIES: tuple[Story, ...] = (
    *usual.STORIES, *money.STORIES, *stock.STORIES, *goods.STORIES, *odd.STORIES, *faults.STORIES,
    *berlin.STORIES, *oslo.STORIES, *lyon.STORIES,
)  # fmt: skip
