"""A shop that rounds taxes unit by unit, edits its orders and sends them in parts."""

from ops.demo.neighbours import LYON
from ops.demo.story import End, Moved, Paid, Staff, Story
from ops.demo.words import DONE, again, back, beside, line, order, usual


def _euros(amount: str) -> Paid:
    return Paid(amount=amount, currency="EUR")


STORIES = (
    Story(
        shop=LYON,
        name="odd cents, tax apart",
        story="Three chairs for 100.00 and 20.00 tax come back one by one: the taxes of each are a cent too much.",
        order=order(
            2701, line("CHAIR", 3, unit_price="33.34", discount="0.02", tax_rate="0.20"), taxes_included=False
        ),
        units=(back("CHAIR"),),
        day=(*usual("09:07", "sellable"), *again("12:30", "sellable"), *again("14:00", "sellable")),
        end=End(
            stock=(Moved(sku="CHAIR", quantity=3),),
            paid=(_euros("40.00"), _euros("40.00"), _euros("40.00")),
            tags=DONE,
        ),
    ),
    Story(
        shop=LYON,
        name="edited and partly sent",
        story="A red chair was taken off, a stool added and paid; one of two chairs was sent, and comes back with it.",
        order=order(2703, line("CHAIR", 2, fulfilled=1), line("CHAIR-RED", fulfilled=0)),
        units=(back("CHAIR"), back("STOOL")),
        day=beside(
            usual("09:50", "sellable", "sellable"),
            ("09:02", Staff(action="edit-order", body={"remove": [{"sku": "CHAIR-RED"}],
                                                       "add": [line("STOOL", 2, fulfilled=0)]})),
            ("09:04", Staff(action="pay")),
            ("09:30", Staff(action="send", body={"lines": [{"sku": "STOOL"}]})),
        ),
        end=End(
            stock=(Moved(sku="CHAIR", quantity=1), Moved(sku="STOOL", quantity=1)),
            paid=(_euros("58.33"),),
            tags=DONE,
        ),
    ),
)  # fmt: skip
