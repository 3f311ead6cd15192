"""What is wrong with files and secrets is told once, cleared once, and shown all the time."""

from prometheus_client import CollectorRegistry

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.misconfigured import Misconfigured, News, gauge


def told(of: Misconfigured, news: list[News]) -> list[tuple[str, str, str]]:
    """(merchant, what, raised or cleared), taken by Kafka."""
    for each in news:
        of.told(each)
    return [(n.merchant, n.what, "raised" if isinstance(n.record, ExceptionRaised) else "cleared") for n in news]


def test_it_is_told_until_kafka_has_it_and_then_no_more() -> None:
    registry = CollectorRegistry()
    of = Misconfigured("gateway", gauge(registry), lambda: 7)
    first = of.news(["a"], {"b": "b.toml: currency: expected another"}, {})
    assert of.news(["a"], {"b": "b.toml: currency: expected another"}, {}) == first
    assert told(of, first) == [
        ("a", "file", "cleared"), ("a", "secret", "cleared"), ("b", "file", "raised"), ("b", "secret", "cleared"),
    ]  # fmt: skip
    assert of.news(["a"], {"b": "b.toml: currency: expected another"}, {}) == []
    labels = {"merchant": "b", "what": "file"}
    assert registry.get_sample_value("returnflow_merchant_misconfigured", labels) == 1
    other = of.news(["a"], {"b": "b.toml: time_zone: expected another"}, {})
    assert told(of, other) == [("b", "file", "raised")]
    assert told(of, of.news(["a", "b"], {}, {"b": "systems.shopify: secret env:X: expected a value"})) == [
        ("b", "file", "cleared"), ("b", "secret", "raised"),
    ]  # fmt: skip
    assert registry.get_sample_value("returnflow_merchant_misconfigured", labels) == 0


def test_processes_agree_on_files_and_speak_for_themselves_of_secrets() -> None:
    shown = gauge(CollectorRegistry())
    one, two = (Misconfigured(name, shown, lambda: 7) for name in ("gateway", "sink shopify"))
    told_by = [[each.record for each in of.news([], {"a": "broken"}, {"a": "missing"})] for of in (one, two)]
    (file_one, secret_one), (file_two, secret_two) = told_by
    assert isinstance(file_one, ExceptionRaised)
    assert file_one.exception_id == file_two.exception_id
    assert secret_one.exception_id != secret_two.exception_id
    mended = Misconfigured("gateway", shown, lambda: 8)  # started anew: it does not know what was told
    cleared = [each.record for each in mended.news(["a"], {}, {})]
    assert all(isinstance(each, ExceptionCleared) for each in cleared)
    assert {each.exception_id for each in cleared} == {file_one.exception_id, secret_one.exception_id}
