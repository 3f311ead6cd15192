"""Returns as most of them go, and what the inspection may find."""

from ops.demo.story import End, Moved, Paid, Requested, Rma, Story
from ops.demo.words import DONE, HELD, back, inspection, line, order, usual

STORIES = (
    Story(
        name="sellable",
        story="A tee does not fit and comes back unworn.",
        order=order(2001, line("TEE-M")),
        units=(back("TEE-M"),),
        day=usual("09:00", "sellable"),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="damaged",
        story="A hoodie comes back stained: money back, never saleable again.",
        order=order(2002, line("HOODIE")),
        units=(back("HOODIE", reason="Damaged"),),
        day=usual("09:05", "damaged"),
        end=End(stock=(Moved(sku="HOODIE", quantity=1, name="damaged"),), paid=(Paid(amount="599.00"),), tags=DONE),
    ),
    Story(
        name="missing",
        story="Two things were announced, one is in the parcel.",
        order=order(2003, line("MUG"), line("CAP")),
        units=(back("MUG"), back("CAP")),
        day=usual("09:10", "sellable", "missing"),
        end=End(stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="89.00"),), open=("item_missing",), tags=HELD),
    ),
    Story(
        name="partial quantity",
        story="One of three pairs of socks comes back.",
        order=order(2004, line("SOCKS", 3)),
        units=(back("SOCKS"),),
        day=usual("09:15", "sellable"),
        end=End(stock=(Moved(sku="SOCKS", quantity=1),), paid=(Paid(amount="59.00"),), tags=DONE),
    ),
    Story(
        name="several lines",
        story="Two lines of one order come back in one parcel and are paid together.",
        order=order(2005, line("TEE-S"), line("MUG"), line("SOCKS")),
        units=(back("TEE-S"), back("MUG")),
        day=usual("09:20", "sellable", "sellable"),
        end=End(
            stock=(Moved(sku="TEE-S", quantity=1), Moved(sku="MUG", quantity=1)),
            paid=(Paid(amount="288.00"),),
            tags=DONE,
        ),
    ),
    Story(
        name="mixed grades",
        story="Two of a line: one can be sold again, one cannot.",
        order=order(2006, line("CAP", 2)),
        units=(back("CAP", 2),),
        day=usual("09:25", "sellable", "damaged"),
        end=End(
            stock=(Moved(sku="CAP", quantity=1), Moved(sku="CAP", quantity=1, name="damaged")),
            paid=(Paid(amount="298.00"),),
            tags=DONE,
        ),
    ),
    Story(
        name="two parcels, two returns",
        story="The same order is returned twice, a unit at a time.",
        order=order(2007, line("TEE-L", 2)),
        units=(back("TEE-L"),),
        day=(
            *usual("09:30", "sellable"),
            ("13:00", Requested(body={"again": True})),
            ("13:15", Rma(step="approve")),
            ("13:30", Rma(step="receive")),
            ("13:45", inspection("sellable")),
        ),
        end=End(
            stock=(Moved(sku="TEE-L", quantity=2),), paid=(Paid(amount="199.00"), Paid(amount="199.00")), tags=DONE
        ),
    ),
    Story(
        name="keep it",
        story="The customer may keep a cheap thing: paid on approval, nothing comes back.",
        order=order(2008, line("SOCKS")),
        units=(back("SOCKS", reason="Wrong colour"),),
        day=(
            ("09:35", Requested(body={"return_method": "No shipment required"})),
            ("10:05", Rma(step="approve")),
        ),
        end=End(paid=(Paid(amount="59.00"),), tags=DONE),
    ),
    Story(
        name="ReturnGO asks for the refund",
        story="ReturnGO opens a transaction; it is told how it ended.",
        order=order(2009, line("MUG")),
        units=(back("MUG"),),
        day=(*usual("09:40", "sellable"), ("12:30", Rma(step="transaction", body={"amount": "89.00"}))),
        end=End(stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="89.00"),), tags=DONE),
    ),
    Story(
        name="not yet inspected",
        story="The parcel has arrived; nobody has opened it, so nothing moves.",
        order=order(2010, line("HOODIE")),
        units=(back("HOODIE"),),
        day=usual("14:00", "sellable")[:-1],
        end=End(tags=("return-received",)),
    ),
    Story(
        name="in transit",
        story="The parcel is on its way: customer service sees it on the order.",
        order=order(2011, line("CAP")),
        units=(back("CAP"),),
        day=usual("15:00", "sellable")[:-2],
        end=End(tags=("return-in-transit",)),
    ),
)
