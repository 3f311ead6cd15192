"""A shop whose last unit of a line takes the odd cent."""

from ops.demo.neighbours import BERLIN
from ops.demo.story import End, Moved, Paid, Story
from ops.demo.words import DONE, again, back, line, order, usual

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
)
