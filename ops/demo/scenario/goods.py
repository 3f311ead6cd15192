"""Goods as shops really have them: a SKU only finds an item, and some have none."""

from ops.demo.story import End, Moved, Paid, Story
from ops.demo.words import DONE, back, line, order, usual, warehouse

STORIES = (
    Story(
        name="no SKU",
        story="A brush without a SKU: its variant says which item it is.",
        order=order(2801, line("BRUSH"), line("HARD")),
        units=(back("HARD"),),
        day=usual("09:03", "sellable"),
        end=End(stock=(Moved(sku="HARD", quantity=1),), paid=(Paid(amount="48.00"),), tags=DONE),
    ),
    Story(
        name="bundle without SKUs",
        story="A kit whose parts bear no SKU comes back: each part is put back as its own item.",
        order=order(2802, line("KIT", bundle="KIT")),
        units=(back("BRUSH"), back("HARD")),
        day=usual("09:08", "sellable", "sellable"),
        end=End(
            stock=(Moved(sku="BRUSH", quantity=1), Moved(sku="HARD", quantity=1)),
            paid=(Paid(amount="93.00"),),
            tags=DONE,
        ),
    ),
    Story(
        name="one SKU, two colours",
        story="Red and blue share a SKU, blue was sold: blue comes back.",
        order=order(2803, line("PRINT-BLUE")),
        units=(back("PRINT-BLUE"),),
        day=usual("09:13", "sellable"),
        end=End(stock=(Moved(sku="PRINT-BLUE", quantity=1),), paid=(Paid(amount="70.00"),), tags=DONE),
    ),
    Story(
        name="the SKU as people write it",
        story="The shop has it with a blank at its end, the warehouse in capitals: it is the same bowl.",
        order=order(2804, line("BOWL")),
        units=(back("BOWL"),),
        day=(*usual("09:18", "sellable")[:-1], ("12:20", warehouse(("BOWL", 1, "sellable")))),
        end=End(stock=(Moved(sku="BOWL", quantity=1),), paid=(Paid(amount="55.00"),), tags=DONE),
    ),
    Story(
        name="a SKU behind its like",
        story="Thirty refills begin with the pen's SKU: the pen is found behind them.",
        order=order(2805, line("PEN")),
        units=(back("PEN"),),
        day=usual("09:23", "sellable"),
        end=End(stock=(Moved(sku="PEN", quantity=1),), paid=(Paid(amount="25.00"),), tags=DONE),
    ),
    Story(
        name="sold without an item",
        story="A line that staff typed in, of no item: paid, and the warehouse is told that no stock holds it.",
        order=order(2806, {"custom_title": "Sample", "quantity": 1, "unit_price": "15.00"}, line("CAP")),
        units=(back("CAP"), back("Sample")),
        day=usual("09:28", "sellable", "sellable"),
        end=End(stock=(Moved(sku="CAP", quantity=1),), paid=(Paid(amount="164.00"),), open=("no_item",), tags=DONE),
    ),
)
