"""Which addresses a merchant file may name."""

from pathlib import Path

import pytest

from schemas.addresses import leaves_plainly, wrong
from schemas.merchant import MerchantFileError, load
from tests.unit.schemas.merchant_text import LEAST, RETURNGO


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example", "https://shop.example:8443/a/b", "http://127.0.0.1:8900/returngo", "http://[::1]:8900",
        "http://localhost:1", "https://10.0.0.5", "https://[2001:db8::1]/x", "https://xn--mnchen-3ya.example",
    ],
)  # fmt: skip
def test_these_may_be_named(url: str) -> None:
    assert wrong(url) is None
    assert not leaves_plainly(url)


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://shop.example", "http"), ("https://shop.example/", "without / at the end"), ("https:// x", "spaces"),
        ("https://shop.example:99999", "port"), ("https://[::1", "an address such as"),
        ("https://me:hunter2@shop.example", "without user"), ("https://me@shop.example", "without user"),
        ("https://shop.example@169.254.169.254", "without user"), ("https://shop.example?x=1", "without ?"),
        ("https://shop.example#x", "without ?"), ("https://münchen.example", "spaces"),
        ("http://169.254.169.254", "link-local"), ("http://169.254.1.1:80/x", "link-local"),
        ("https://[fe80::1]", "link-local"),
        ("http://[::ffff:169.254.169.254]", "link-local"), ("http://2852039166", "link-local"),
        ("http://0xa9fea9fe", "link-local"), ("http://169.254.43518", "link-local"),
        ("http://0251.0376.0251.0376", "link-local"),
        ("http://metadata.google.internal", "metadata"), ("http://METADATA.google.internal./x", "metadata"),
        ("http://100.100.100.200", "metadata"), ("https://[fd00:ec2::254]", "metadata"),
        ("http://0.0.0.0:80", "one machine"), ("http://0", "one machine"), ("https://224.0.0.1", "one machine"),
    ],
)  # fmt: skip
def test_these_may_not(url: str, expected: str) -> None:
    assert expected in (wrong(url) or "")


@pytest.mark.parametrize(
    "url", ["http://shop.example", "http://10.0.0.5:8080", "http://127.0.0.1.example", "http://[2001:db8::1]"]
)
def test_what_others_read_on_the_way_must_be_wanted(tmp_path: Path, url: str) -> None:
    assert leaves_plainly(url)
    path = tmp_path / "m.toml"
    path.write_text(LEAST + RETURNGO.format(url=url))
    with pytest.raises(MerchantFileError, match=r"systems\.returngo: base_url: expected https://.*plain_http = true"):
        load(path)
    path.write_text(LEAST + RETURNGO.format(url=url) + "plain_http = true\n")
    assert load(path).systems.returngo is not None


@pytest.mark.req("OPS-10")
def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(LEAST + RETURNGO.format(url="https://me:hunter2@shop.example"))
    with pytest.raises(MerchantFileError) as problem:
        load(path)
    assert "without user and password" in str(problem.value)
    assert "hunter2" not in str(problem.value)
