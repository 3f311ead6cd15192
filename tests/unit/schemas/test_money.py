"""Money is whole minor units of one currency, whatever it is read from."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import LARGEST_MINOR, Money, MoneyError, exponent, parse, split, to_decimal

CURRENCIES = st.sampled_from(["EUR", "ZAR", "JPY", "KRW", "KWD", "BHD", "CLF"])


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        (12, "EUR", 1200),
        (Decimal("-0.01"), "EUR", -1),
        ("1200", "JPY", 1200),
        ("1200.00", "JPY", 1200),  # zeros beyond the exponent say nothing
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("1e2", "EUR", 10000),
        ("5000.0", "MGA", 5000),  # a fifth of it is paid by nobody
        ("120", "MRU", 120),
        ("300.00", "UGX", 300),
        ("1500", "ISK", 1500),
        ("99.50", "HUF", 9950),
        ("10.25", "TWD", 1025),
        ("7", "UYI", 7),
        ("1.2345", "CLF", 12345),
        ("1.5", "TND", 1500),
        ("2.50", "XCG", 250),
    ],
)
def test_amounts_are_read_with_the_currencys_own_decimals(
    amount: str | int | Decimal, currency: str, minor: int
) -> None:
    assert parse(amount, currency) == Money(minor=minor, currency=currency)


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.005", "EUR"),
        ("0.5", "JPY"),
        ("10.2", "MGA"),
        ("0.2", "MRU"),
        ("1.2345", "KWD"),
        ("", "EUR"),
        ("free", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("1e400", "EUR"),
        ("1e999999999", "EUR"),
        ("1." + "0" * 40 + "1", "EUR"),
        ("9" * 70, "EUR"),
        (1.5, "EUR"),
        (True, "EUR"),
        (None, "EUR"),
        (str(LARGEST_MINOR), "EUR"),
        ("1", "eur"),
        ("1", "EU"),
        ("1", ""),
        ("1", "€UR"),
        ("1", "ABC"),
        ("1", "XXX"),
        ("1", "XAU"),
        ("1", "EUR "),
    ],
)
def test_what_is_no_money_is_refused_with_what_came(amount: object, currency: str) -> None:
    with pytest.raises(MoneyError, match="expected"):
        parse(amount, currency)  # type: ignore[arg-type]  # wrong types are the point


@pytest.mark.req("MON-13")
@given(st.integers(-LARGEST_MINOR, LARGEST_MINOR), CURRENCIES)
def test_writing_and_reading_is_the_same_amount(minor: int, currency: str) -> None:
    money = Money(minor=minor, currency=currency)
    assert parse(to_decimal(money), currency) == money
    assert parse(str(to_decimal(money)), currency) == money
    assert -to_decimal(money).as_tuple().exponent == exponent(currency)  # type: ignore[operator]  # finite


@pytest.mark.req("MON-2", "MON-13")
@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_shares_always_add_up_and_are_fair_to_one_unit(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    parts = weights if any(weights) else [1] * len(weights)
    for share, part in zip(shares, parts, strict=True):
        assert abs(share * sum(parts) - total * part) < sum(parts)
        assert share * total >= 0
        assert part or not share


def test_the_remainder_goes_to_the_largest_fraction_then_to_the_first() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]
    assert split(10, [0, 3, 1]) == [0, 8, 2]  # 7.5 and 2.5: a tie, the earlier one gets it
    assert split(5, [0, 0]) == [3, 2]


def test_nothing_can_be_split_over_nobody_or_a_negative_weight() -> None:
    with pytest.raises(MoneyError, match="at least one share"):
        split(1, [])
    with pytest.raises(MoneyError, match="non-negative"):
        split(1, [2, -1])


def test_currencies_are_never_mixed() -> None:
    euro, yen = Money(minor=1, currency="EUR"), Money(minor=1, currency="JPY")
    assert (euro + euro - euro) == euro
    with pytest.raises(MoneyError, match="expected an amount in EUR, got 1 JPY"):
        euro + yen
    with pytest.raises(MoneyError, match="expected an amount in EUR, got 1 JPY"):
        euro - yen


def test_money_reads_well() -> None:
    assert str(Money(minor=-105, currency="EUR")) == "-1.05 EUR"
    assert str(Money(minor=5, currency="JPY")) == "5 JPY"
    assert str(Money(minor=1234, currency="KWD")) == "1.234 KWD"
