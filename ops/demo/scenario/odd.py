"""Returns that do not go as planned: people, late orders, changed minds."""

from ops.demo.shop import DOMAIN
from ops.demo.story import End, Fault, Moved, Paid, Requested, Rma, Sold, Staff, Story
from ops.demo.words import DONE, HELD, TOLD, back, line, order, usual

STORIES = (
    Story(
        name="refund by staff",
        story="Staff pay in the shop before the parcel is there: told to finance, never paid again.",
        order=order(2301, line("CAP")),
        units=(back("CAP"),),
        day=(
            *usual("09:01", "sellable")[:4],
            (
                "10:45",
                Staff(
                    action="refund",
                    body={"lines": [{"sku": "CAP", "quantity": 1, "restock_type": "NO_RESTOCK"}], "amount": "149.00"},
                ),
            ),
            *usual("10:00", "sellable")[4:],
        ),
        end=End(
            stock=(Moved(sku="CAP", quantity=1),),
            paid=(Paid(amount="149.00"),),
            open=("refund_outside_workflow",),
            tags=TOLD,
        ),
    ),
    Story(
        name="return before its order",
        story="The order's webhook is lost and the return comes first: it waits, then joins.",
        order=order(2302, line("TEE-M")),
        units=(back("TEE-M"),),
        day=(
            (
                "09:06",
                Fault(
                    body={
                        "match": {"system": "webhook", "shop": DOMAIN, "operation": "ORDERS_CREATE"},
                        "fault": "drop_webhook",
                    }
                ),
            ),
            ("09:07", Sold()),
            *usual("09:08", "sellable"),
        ),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="orphan",
        story="The order is too old for our access: raised, nothing moves.",
        order=order(2303, line("MUG"), created_at="2024-02-01T09:00:00Z"),
        units=(back("MUG"),),
        day=usual("09:11", "sellable"),
        end=End(open=("orphan_return",)),
    ),
    Story(
        name="cancelled",
        story="The customer keeps it after all.",
        order=order(2304, line("HOODIE")),
        units=(back("HOODIE"),),
        day=(*usual("09:16", "sellable")[:3], ("11:00", Rma(step="cancel"))),
        end=End(),
    ),
    Story(
        name="rejected",
        story="The merchant refuses the return.",
        order=order(2305, line("CAP")),
        units=(back("CAP"),),
        day=(("09:21", Requested()), ("10:00", Rma(step="reject"))),
        end=End(),
    ),
    Story(
        name="reopened",
        story="Cancelled, then reopened and sent after all.",
        order=order(2306, line("TEE-S")),
        units=(back("TEE-S"),),
        day=(
            *usual("09:26", "sellable")[:2],
            ("10:10", Rma(step="cancel")),
            ("11:10", Rma(step="reopen")),
            *usual("10:30", "sellable")[2:],
        ),
        end=End(stock=(Moved(sku="TEE-S", quantity=1),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="sold today, returned today",
        story="Bought in the morning, back in the afternoon.",
        order=order(2307, line("SOCKS")),
        units=(back("SOCKS"),),
        day=(("09:31", Sold()), *usual("11:00", "sellable")),
        end=End(stock=(Moved(sku="SOCKS", quantity=1),), paid=(Paid(amount="59.00"),), tags=DONE),
    ),
    Story(
        name="no such SKU",
        story="A line that is in no item master: paid, and the data team is told why it is in no stock.",
        order=order(2308, {"custom_title": "Engraving", "sku": "ENGRAVING", "quantity": 1, "unit_price": "40.00"}),
        units=(back("ENGRAVING"),),
        day=usual("09:36", "sellable"),
        end=End(paid=(Paid(amount="40.00"),), open=("unknown_sku",), tags=HELD),
    ),
)
