"""A shop that takes money when goods leave, has prices without tax, and pays shipping back with the goods."""

from ops.demo.neighbours import OSLO
from ops.demo.story import Body, End, Moved, Paid, Staff, Story
from ops.demo.words import DONE, again, back, beside, line, order, usual


def _kroner(amount: str, gateway: str = "shopify_payments") -> Paid:
    return Paid(amount=amount, currency="NOK", gateway=gateway)


def _sold(number: int, *lines: Body, promised: str | None = None, **more: object) -> Body:
    paid = {} if promised is None else {"payments": [{"kind": "AUTHORIZATION", "amount": promised}]}
    return order(number, *lines, taxes_included=False, **paid, **more)


def _taxed(sku: str, quantity: int = 1, **more: object) -> Body:
    return line(sku, quantity, tax_rate="0.25", **more)


TRANSFER: Body = {"gateway": "Bank Deposit", "status": "PENDING", "amount": "62.38"}
STORIES = (
    Story(
        shop=OSLO,
        name="captured when sent",
        story="The money is promised with the order and taken with the parcel: the refund goes to what was taken.",
        order=_sold(2601, _taxed("LAMP", fulfilled=0), promised="498.75"),
        units=(back("LAMP"),),
        day=beside(usual("09:20", "sellable"), ("09:04", Staff(action="send")), ("09:06", Staff(action="capture"))),
        end=End(stock=(Moved(sku="LAMP", quantity=1),), paid=(_kroner("498.75"),), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="captured after the inspection",
        story="The lamp is back before its money was taken: nothing is paid until there is something to pay from.",
        order=_sold(2602, _taxed("LAMP"), promised="498.75"),
        units=(back("LAMP"),),
        day=beside(usual("09:09", "sellable"), ("14:10", Staff(action="capture"))),
        end=End(stock=(Moved(sku="LAMP", quantity=1),), paid=(_kroner("498.75"),), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="captured in two parts",
        story="Two parcels, two captures, one return: each capture gives back what it took.",
        order=_sold(2603, _taxed("LAMP", 2, fulfilled=0), promised="997.50"),
        units=(back("LAMP", 2),),
        day=beside(
            usual("09:40", "sellable", "sellable"),
            ("09:05", Staff(action="send", body={"lines": [{"sku": "LAMP"}]})),
            ("09:06", Staff(action="capture", body={"amount": "498.75"})),
            ("09:15", Staff(action="send")),
            ("09:16", Staff(action="capture")),
        ),
        end=End(stock=(Moved(sku="LAMP", quantity=2),), paid=(_kroner("498.75"), _kroner("498.75")), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="the rest was given up",
        story="One of two bulbs was sent and paid, the other taken off and its promise given up.",
        order=_sold(2604, _taxed("BULB", 2, unit_price="40.00", fulfilled=1), promised="100.00"),
        units=(back("BULB"),),
        day=beside(
            usual("09:45", "sellable"),
            ("09:10", Staff(action="capture", body={"amount": "50.00"})),
            ("09:12", Staff(action="edit-order", body={"remove": [{"sku": "BULB"}]})),
            ("09:14", Staff(action="void")),
        ),
        end=End(stock=(Moved(sku="BULB", quantity=1),), paid=(_kroner("50.00"),), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="paid by transfer",
        story="The transfer came after the order: it gives the money back, not the step that waited for it.",
        order=_sold(2605, _taxed("BULB"), payments=[TRANSFER]),
        units=(back("BULB"),),
        day=beside(usual("09:35", "sellable"), ("09:17", Staff(action="mark-paid"))),
        end=End(stock=(Moved(sku="BULB", quantity=1),), paid=(_kroner("62.38", "Bank Deposit"),), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="shipping with its tax",
        story="All of the order comes back: what its two parcels cost comes with it, after its discount, with its tax.",
        order=_sold(
            2606,
            _taxed("LAMP"),
            shipping_lines=[
                {"price": "100.00", "discount": "20.00", "tax_rate": "0.25"},
                {"title": "Oversize", "price": "25.00", "tax_rate": "0.25"},
            ],
        ),
        units=(back("LAMP"),),
        day=usual("09:28", "sellable"),
        end=End(stock=(Moved(sku="LAMP", quantity=1),), paid=(_kroner("630.00"),), tags=DONE),
    ),
    Story(
        shop=OSLO,
        name="odd cents, first unit",
        story="Three bulbs share a discount: the first takes the odd cent, and each cent is paid once.",
        order=_sold(2607, _taxed("BULB", 3, discount="10.00")),
        units=(back("BULB"),),
        day=(*usual("09:33", "sellable"), *again("13:10", "sellable", "sellable", units=[back("BULB", 2)])),
        end=End(stock=(Moved(sku="BULB", quantity=3),), paid=(_kroner("58.23"), _kroner("116.40")), tags=DONE),
    ),
)
