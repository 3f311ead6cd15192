"""The shop of the scenario: its places and goods as they stand in the morning."""

from ops.demo.story import Body

DOMAIN = "demo-shop.myshopify.com"
MAIN, STORE, GRADING, CLOSED, POPUP = 101, 102, 103, 104, 105

LOCATIONS: tuple[Body, ...] = (
    {"id": MAIN, "name": "Main", "active": True},
    {"id": STORE, "name": "Store", "active": True},
    {"id": GRADING, "name": "Grading", "active": True},
    {"id": CLOSED, "name": "Closed", "active": False},
    {"id": POPUP, "name": "Pop-up", "active": True},  # open, but in no merchant file
)


def _variant(sku: str, title: str, price: str, **more: object) -> Body:
    stock = {str(MAIN): 20, str(STORE): 5, str(GRADING): 0, str(POPUP): 0}
    return {"sku": sku, "title": title, "price": price, "stock": stock, **more}


PRODUCTS: tuple[Body, ...] = (
    {"title": "Tee", "variants": [_variant(f"TEE-{s}", s, "199.00") for s in ("S", "M", "L")]},
    {"title": "Hoodie", "variants": [_variant("HOODIE", "One size", "599.00")]},
    {"title": "Mug", "variants": [_variant("MUG", "One size", "89.00")]},
    {"title": "Cap", "variants": [_variant("CAP", "One size", "149.00")]},
    {"title": "Socks", "variants": [_variant("SOCKS", "Pair", "59.00")]},
    {"title": "Poster", "variants": [_variant("POSTER", "A2", "120.00", tracked=False)]},
    {"title": "Cup", "variants": [_variant("CUP", "One", "60.00")]},
    {"title": "Pot", "variants": [_variant("POT", "One", "180.00")]},
    {"title": "Tray", "variants": [_variant("TRAY", "One", "90.00", stock={str(MAIN): 0})]},  # sold out
    {
        "title": "Tea set",
        "variants": [
            {
                "sku": "SET-TEA", "title": "Set", "price": "300.00",
                "components": [{"sku": "CUP", "quantity": 2}, {"sku": "POT", "quantity": 1}],
            }
        ],
    },
    {
        "title": "Tray set",
        "variants": [
            {
                "sku": "SET-TRAY", "title": "Set", "price": "150.00",
                "components": [{"sku": "CUP", "quantity": 1}, {"sku": "TRAY", "quantity": 1}],
            }
        ],
    },
)  # fmt: skip
# Goods as shops have them: no SKU, one SKU for two, a blank at its end, one behind many that begin alike.
UNKEMPT: tuple[Body, ...] = (
    {
        "title": "Brush",
        "variants": [_variant("", "Soft", "45.00", name="BRUSH"), _variant("", "Hard", "48.00", name="HARD")],
    },
    {"title": "Print", "variants": [_variant("PRINT", s, "70.00", name=f"PRINT-{s.upper()}") for s in ("Red", "Blue")]},
    {"title": "Bowl", "variants": [_variant("bowl ", "One size", "55.00", name="BOWL")]},
    {"title": "Refill", "variants": [_variant(f"PEN-{n}", str(n), "9.00") for n in range(30)]},
    {"title": "Pen", "variants": [_variant("PEN", "One size", "25.00")]},
    {
        "title": "Care kit",
        "variants": [
            {
                "sku": "", "name": "KIT", "title": "Kit", "price": "93.00",
                "components": [{"sku": "BRUSH", "quantity": 1}, {"sku": "HARD", "quantity": 1}],
            }
        ],
    },
)  # fmt: skip
CUSTOMERS: tuple[Body, ...] = tuple(
    {"id": n, "name": f"Customer {n}", "email": f"customer.{n}@example.com"} for n in range(1000, 1050)
)
