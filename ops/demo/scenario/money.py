"""What is paid back: discounts, taxes, tenders, currencies, credit."""

from ops.demo.story import End, Moved, Paid, Rma, Story
from ops.demo.words import DONE, HELD, back, line, order, usual

STORIES = (
    Story(
        name="gift card first",
        story="Paid by gift card and credit card: both get back what they gave.",
        order=order(
            2101,
            line("HOODIE"),
            payments=[
                {"gateway": "gift_card", "amount": "200.00"},
                {"gateway": "shopify_payments", "amount": "399.00"},
            ],
        ),
        units=(back("HOODIE"),),
        day=usual("09:02", "sellable"),
        end=End(
            stock=(Moved(sku="HOODIE", quantity=1),),
            paid=(Paid(amount="200.00", gateway="gift_card"), Paid(amount="399.00")),
            tags=DONE,
        ),
    ),
    Story(
        name="split tender, partly",
        story="One of two things comes back: the gift card is repaid before the credit card.",
        order=order(
            2102,
            line("SOCKS", 2),
            payments=[
                {"gateway": "gift_card", "amount": "50.00"},
                {"gateway": "shopify_payments", "amount": "68.00"},
            ],
        ),
        units=(back("SOCKS"),),
        day=usual("09:07", "sellable"),
        end=End(
            stock=(Moved(sku="SOCKS", quantity=1),),
            paid=(Paid(amount="50.00", gateway="gift_card"), Paid(amount="9.00")),
            tags=DONE,
        ),
    ),
    Story(
        name="line discount",
        story="A discount on the line is shared by its units.",
        order=order(2103, line("TEE-M", 2, discount="60.00")),
        units=(back("TEE-M"),),
        day=usual("09:12", "sellable"),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="169.00"),), tags=DONE),
    ),
    Story(
        name="order discount",
        story="A discount on the whole order is shared by its lines.",
        order=order(2104, line("MUG", 2), line("CAP", 2), order_discount="100.00"),
        units=(back("MUG"),),
        day=usual("09:17", "sellable"),
        end=End(stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="70.31"),), tags=DONE),
    ),
    Story(
        name="tax on top",
        story="Prices without tax: the tax comes back with the price.",
        order=order(2105, line("CAP", tax_rate="0.15"), taxes_included=False),
        units=(back("CAP"),),
        day=usual("09:22", "sellable"),
        end=End(stock=(Moved(sku="CAP", quantity=1),), paid=(Paid(amount="171.35"),), tags=DONE),
    ),
    Story(
        name="tax inside",
        story="Prices with tax: the price is all there is.",
        order=order(2106, line("CAP", tax_rate="0.15")),
        units=(back("CAP"),),
        day=usual("09:27", "sellable"),
        end=End(stock=(Moved(sku="CAP", quantity=1),), paid=(Paid(amount="149.00"),), tags=DONE),
    ),
    Story(
        name="a cent that does not divide",
        story="Three units share a discount of 10.00: the parts add up to the cent.",
        order=order(2107, line("SOCKS", 3, discount="10.00")),
        units=(back("SOCKS", 3),),
        day=usual("09:32", "sellable", "sellable", "sellable"),
        end=End(stock=(Moved(sku="SOCKS", quantity=3),), paid=(Paid(amount="167.00"),), tags=DONE),
    ),
    Story(
        name="shipping stays",
        story="The customer paid for shipping; this merchant keeps it.",
        order=order(2108, line("MUG"), shipping="50.00"),
        units=(back("MUG"),),
        day=usual("09:37", "sellable"),
        end=End(stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="89.00"),), tags=DONE),
    ),
    Story(
        name="new gift card",
        story="The customer takes a gift card instead of money.",
        order=order(2109, line("MUG")),
        units=(back("MUG", resolution="RefundByNewGiftCard"),),
        day=usual("09:42", "sellable"),
        end=End(
            stock=(Moved(sku="MUG", quantity=1),), paid=(Paid(amount="89.00", gateway="new_gift_card"),), tags=DONE
        ),
    ),
    Story(
        name="store credit",
        story="The customer takes store credit instead of money.",
        order=order(2110, line("CAP")),
        units=(back("CAP", resolution="RefundToStoreCredit"),),
        day=usual("09:47", "sellable"),
        end=End(
            stock=(Moved(sku="CAP", quantity=1),), paid=(Paid(amount="149.00", gateway="store_credit"),), tags=DONE
        ),
    ),
    Story(
        name="yen",
        story="Paid in a currency without decimals.",
        order=order(2111, line("TEE-S", unit_price="1500"), currency="JPY", rate="0.12"),
        units=(back("TEE-S"),),
        day=usual("09:52", "sellable"),
        end=End(stock=(Moved(sku="TEE-S", quantity=1),), paid=(Paid(amount="1500", currency="JPY"),), tags=DONE),
    ),
    Story(
        name="dinar",
        story="Paid in a currency with three decimals, with a discount that does not divide.",
        order=order(2112, line("TEE-L", 3, unit_price="4.125", discount="1.000"), currency="KWD", rate="58"),
        units=(back("TEE-L"),),
        day=usual("09:57", "sellable"),
        end=End(stock=(Moved(sku="TEE-L", quantity=1),), paid=(Paid(amount="3.792", currency="KWD"),), tags=DONE),
    ),
    Story(
        name="ReturnGO says another amount",
        story="ReturnGO wants to pay more than the customer paid: held, with both figures.",
        order=order(2113, line("TEE-M")),
        units=(back("TEE-M", paid_price="250.00"),),
        day=usual("10:02", "sellable"),
        end=End(stock=(Moved(sku="TEE-M", quantity=1),), open=("amount_mismatch",), tags=HELD),
    ),
    Story(
        name="ReturnGO refunds by itself",
        story="ReturnGO's own automation was quicker: the same units are never paid again.",
        order=order(2114, line("SOCKS")),
        units=(back("SOCKS"),),
        day=(
            *usual("10:07", "sellable")[:2],
            ("11:00", Rma(step="transaction", body={"amount": "59.00", "act": True})),
            *usual("11:00", "sellable")[4:],
        ),
        end=End(stock=(Moved(sku="SOCKS", quantity=1),), paid=(Paid(amount="59.00"),), tags=DONE),
    ),
)
