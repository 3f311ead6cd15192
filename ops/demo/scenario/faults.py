"""What breaks during the day: webhooks, answers, credentials, limits, our own processes. Ends stay the usual ones.

A fault is armed a minute before the goods of its story are inspected; a process is killed the minute after.
"""

from ops.demo.shop import DOMAIN
from ops.demo.story import Body, End, Fault, Kill, Moved, Paid, Step, Story
from ops.demo.words import DONE, back, line, minutes_of, order, usual


def _fault(system: str, fault: str, times: int = 1, operation: str | None = None, **more: object) -> Fault:
    match: Body = {"system": system, "shop": DOMAIN, **({} if operation is None else {"operation": operation})}
    return Fault(body={"match": match, "fault": fault, "times": times, **more})


def _mug(number: int, name: str, story: str, at: str, *odd: tuple[str, Step]) -> Story:
    return Story(
        name=name,
        story=story,
        order=order(number, line("MUG")),
        units=(back("MUG"),),
        day=tuple(sorted((*odd, *usual(at, "sellable")), key=lambda step: minutes_of(step[0]))),
        end=End(stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="89.00"),), tags=DONE),
    )


STORIES = (
    _mug(2401, "duplicate webhooks", "Each webhook comes twice.", "10:00",
         ("09:59", _fault("webhook", "duplicate_webhook", times=20))),
    _mug(2402, "late webhooks", "Webhooks come late.", "10:30",
         ("10:29", _fault("webhook", "delay_webhook", times=10, seconds=2))),
    _mug(2403, "lost webhooks", "Webhooks never come; the poll finds the return.", "11:00",
         ("10:59", _fault("webhook", "drop_webhook", times=12))),
    _mug(2404, "webhooks out of order", "The last webhook comes first.", "11:30",
         ("11:29", _fault("webhook", "reorder_webhook", times=6))),
    _mug(2405, "refund without an answer", "The shop pays, the answer is lost: looked for, not paid again.", "12:00",
         ("14:29", _fault("shopify", "timeout_after_apply", operation="refundCreate", seconds=3))),
    _mug(2406, "restock without an answer", "The shop counts, the answer is lost: counted once.", "12:10",
         ("14:39", _fault("shopify", "lost_after_apply", operation="inventoryAdjustQuantities"))),
    _mug(2407, "throttled", "The shop's bucket is empty for a while.", "12:20",
         ("14:49", _fault("shopify", "throttled", times=6))),
    _mug(2408, "ReturnGO says slow down", "ReturnGO answers 429.", "12:30",
         ("12:59", _fault("returngo", "429", times=3))),
    _mug(2409, "token expired", "The shop refuses our token for a while: paused, then resumed.", "13:00",
         ("15:29", _fault("shopify", "expired_token", times=2))),
    _mug(2410, "server error", "The shop answers 500 and 503.", "13:10",
         ("15:39", _fault("shopify", "500", times=2)), ("15:39", _fault("shopify", "503", times=2))),
    _mug(2411, "cases agent killed", "kill -9 of the cases agent in the middle.", "13:20",
         ("15:51", Kill(process="agent-cases"))),
    _mug(2412, "stock agent killed", "kill -9 of the stock agent in the middle.", "13:25",
         ("15:56", Kill(process="agent-stock"))),
    _mug(2413, "sink killed", "kill -9 of the Shopify sink in the middle.", "13:30",
         ("16:01", Kill(process="sink-shopify"))),
    _mug(2414, "source killed", "kill -9 of the ReturnGO source in the middle.", "13:35",
         ("16:06", Kill(process="source-returngo"))),
)  # fmt: skip
