"""A shop whose last unit of a line takes the odd cent, and that sells in a currency whose rate moves."""

from ops.demo.neighbours import BERLIN
from ops.demo.story import End, Moved, Paid, Staff, Story
from ops.demo.words import DONE, again, back, beside, line, order, usual


def _dollars(amount: str) -> Paid:
    return Paid(amount=amount, currency="USD")


STORIES = (
    Story(
        shop=BERLIN,
        name="odd cents, last unit",
        story="Six glasses share a discount and a tax: one comes back, then the others; each cent once.",
        order=order(2501, line("GLASS", 6, discount="2.50", tax_rate="0.19"), taxes_included=False),
        units=(back("GLASS"),),
        day=(*usual("09:03", "sellable"), *again("13:00", *["sellable"] * 5, units=[back("GLASS", 5)])),
        end=End(
            stock=(Moved(sku="GLASS", quantity=6),),
            paid=(Paid(amount="50.49", currency="EUR"), Paid(amount="252.48", currency="EUR")),
            tags=DONE,
        ),
    ),
    Story(
        shop=BERLIN,
        name="the rate moved",
        story="Paid in dollars, repaid in dollars at another day's rate: the shop's loss is no fault.",
        order=order(2502, line("PLATE", unit_price="100.00"), currency="USD"),
        units=(back("PLATE"),),
        day=beside(
            usual("09:08", "sellable"), ("10:30", Staff(action="rate", body={"currency": "USD", "rate": "0.8611"}))
        ),
        end=End(stock=(Moved(sku="PLATE", quantity=1),), paid=(_dollars("100.00"),), tags=DONE),
    ),
    Story(
        shop=BERLIN,
        name="three at three rates",
        story="Three plates for 100 dollars come back one by one, each at the rate of its hour.",
        order=order(2503, line("PLATE", 3, unit_price="33.35", discount="0.05"), currency="USD"),
        units=(back("PLATE"),),
        day=beside(
            (*usual("09:13", "sellable"), *again("12:00", "sellable"), *again("13:30", "sellable")),
            ("13:15", Staff(action="rate", body={"currency": "USD", "rate": "0.9033"})),
        ),
        end=End(
            stock=(Moved(sku="PLATE", quantity=3),),
            paid=(_dollars("33.33"), _dollars("33.33"), _dollars("33.34")),
            tags=DONE,
        ),
    ),
)
