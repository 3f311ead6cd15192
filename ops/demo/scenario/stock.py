"""Where goods go, and what stops them."""

from ops.demo.story import End, Moved, Paid, Rma, Staff, Story
from ops.demo.words import DONE, HELD, TOLD, back, line, order, usual, warehouse

STORIES = (
    Story(
        name="another place",
        story="The parcel was opened in the store: stock rises there.",
        order=order(2201, line("TEE-M")),
        units=(back("TEE-M"),),
        day=usual("09:04", "sellable", location=102),
        end=End(stock=(Moved(sku="TEE-M", quantity=1, location_id=102),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="bundle",
        story="A tea set comes back: its parts go back into stock, the set itself has none.",
        order=order(2202, line("SET-TEA", bundle="SET-TEA")),
        units=(back("CUP", 2), back("POT")),
        day=usual("09:09", "sellable", "sellable", "sellable"),
        end=End(
            stock=(Moved(sku="CUP", quantity=2), Moved(sku="POT", quantity=1)), paid=(Paid(amount="300.00"),), tags=DONE
        ),
    ),
    Story(
        name="sold-out component",
        story="A part of a set that is out of stock comes back and is there again.",
        order=order(2203, line("SET-TRAY", bundle="SET-TRAY")),
        units=(back("TRAY"),),
        day=usual("09:14", "sellable"),
        end=End(stock=(Moved(sku="TRAY", quantity=1),), paid=(Paid(amount="90.00"),), tags=DONE),
    ),
    Story(
        name="untracked",
        story="Nobody counts posters: raised before the shop could swallow the restock.",
        order=order(2204, line("POSTER")),
        units=(back("POSTER"),),
        day=usual("09:19", "sellable"),
        end=End(paid=(Paid(amount="120.00"),), open=("untracked_item",), tags=("return-inspected",)),
    ),
    Story(
        name="inactive location",
        story="Inspected at a place that is closed: stopped before the call.",
        order=order(2205, line("MUG")),
        units=(back("MUG"),),
        day=usual("09:24", "sellable", location=104),
        end=End(paid=(Paid(amount="89.00"),), open=("inactive_location",), tags=HELD),
    ),
    Story(
        name="unmapped location",
        story="Inspected at a place nobody has mapped: no silent default.",
        order=order(2206, line("MUG")),
        units=(back("MUG"),),
        day=usual("09:29", "sellable", location=105),
        end=End(paid=(Paid(amount="89.00"),), open=("unmapped_location",), tags=HELD),
    ),
    Story(
        name="over quantity",
        story="Two come back where one was bought: nothing moves until a person has looked.",
        order=order(2207, line("CAP")),
        units=(back("CAP", 2),),
        day=usual("09:34", "sellable", "sellable"),
        end=End(open=("over_quantity",), tags=HELD),
    ),
    Story(
        name="the warehouse inspects",
        story="No validation in ReturnGO: the warehouse's signed inspection counts the same.",
        order=order(2208, line("HOODIE")),
        units=(back("HOODIE"),),
        day=(*usual("09:39", "sellable")[:-1], ("12:10", warehouse(("HOODIE", 1, "sellable")))),
        end=End(stock=(Moved(sku="HOODIE", quantity=1),), paid=(Paid(amount="599.00"),), tags=DONE),
    ),
    Story(
        name="the warehouse counts",
        story="Two units, graded by the warehouse in two messages.",
        order=order(2209, line("SOCKS", 2)),
        units=(back("SOCKS", 2),),
        day=(
            *usual("09:44", "sellable")[:-1],
            ("12:15", warehouse(("SOCKS", 1, "sellable"))),
            ("12:45", warehouse(("SOCKS", 1, "damaged"), location="GRADING")),
        ),
        end=End(
            stock=(Moved(sku="SOCKS", quantity=1), Moved(sku="SOCKS", quantity=1, location_id=103, name="damaged")),
            paid=(Paid(amount="118.00"),),
            tags=DONE,
        ),
    ),
    Story(
        name="native return",
        story="The shop has a return of its own: goods are booked in there.",
        order=order(2210, line("TEE-S")),
        units=(back("TEE-S"),),
        day=(
            ("09:49", Staff(action="return", body={"lines": [{"sku": "TEE-S", "quantity": 1}]})),
            *usual("10:00", "sellable"),
        ),
        end=End(stock=(Moved(sku="TEE-S", quantity=1),), paid=(Paid(amount="199.00"),), tags=DONE),
    ),
    Story(
        name="exchange",
        story="Another size of the same price: the tee comes back, the new one is released.",
        order=order(2211, line("TEE-M")),
        units=(back("TEE-M", resolution="VariantExchange"),),
        day=(
            *usual("09:54", "sellable")[:2],
            ("10:35", Rma(step="exchange", body={"sku": "TEE-L", "quantity": 1})),
            *usual("09:54", "sellable")[2:],
        ),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), tags=DONE),
    ),
    Story(
        name="refund and restock by staff",
        story="Staff refund in the shop and put it back: counted once, told to finance and the warehouse.",
        order=order(2212, line("TEE-L")),
        units=(back("TEE-L"),),
        day=(
            *usual("09:59", "sellable")[:3],
            (
                "11:30",
                Staff(
                    action="refund",
                    body={
                        "lines": [{"sku": "TEE-L", "quantity": 1, "restock_type": "RETURN", "location_id": 101}],
                        "amount": "199.00",
                    },
                ),
            ),
            *usual("12:00", "sellable")[4:],
        ),
        end=End(
            stock=(Moved(sku="TEE-L", quantity=1),),
            paid=(Paid(amount="199.00"),),
            open=("refund_outside_workflow", "restock_outside_workflow"),
            tags=TOLD,
        ),
    ),
)
