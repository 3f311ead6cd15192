"""What is left of an exchange for cheaper goods: it is paid back once the exchange order is released (EXG-6).

Nobody can take a release back, so the money for it is looked for before, and nothing else may use it up meanwhile.
"""

from collections.abc import Sequence

from streams.domain.account import spread
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Exchanging, Paying, repaid_by_returngo
from streams.domain.learnt import Effect, Rma
from streams.domain.own import Own
from streams.domain.proposal import Proposal


def over_payments(p: Proposal, names: Sequence[str]) -> Proposal:
    """An exchange for cheaper goods uses up payments that no refund goes to first, so that the difference can be paid
    back once it is released; what of that no payment can take is short now, before anything is released."""
    p.tenders, p.short = spread(p.order, p.books, p.taken, names if "*" in names else ("*", *names))
    used = {share.payment_id: share.amount_minor for share in p.tenders}
    p.short += spread(p.order, p.books, -p.to_pay, names, used)[1]
    return p


def spoken(own: Own, unnamed: Sequence[Effect]) -> int:
    """Differences that are still to be paid back by us, in minor units."""
    cheaper = [d for d in own.payments if isinstance(d, Exchanging) and d.difference_minor < 0]
    paid = {d.exchange_id for d in own.payments if isinstance(d, Paying)} if cheaper else set()
    return sum(spoken_by(d, own, unnamed) for d in cheaper if d.decision_id not in paid)


def spoken_by(exchange: Exchanging, own: Own, unnamed: Sequence[Effect]) -> int:
    """What one exchange is still to pay back while no payment of its difference was decided."""
    if exchange.difference_minor >= 0 or own.track(exchange) == "refused":
        return 0
    rma = own.learnt.rmas.get(exchange.rma_id)
    by_others = rma is not None and bool(repaid_by_returngo(rma, exchange) or asked_before(rma, unnamed))
    return 0 if by_others else -exchange.difference_minor


def of_no_line(own: Own) -> list[Effect]:
    """Amounts beyond shipping that others paid back without saying for which lines, and that ReturnGO does not tell
    of."""
    returngos = {step.external_id for each in own.learnt.rmas.values() for step in each.steps.values()}
    return [
        e for e in own.foreign
        if e.kind in PAID_KINDS and not e.moved and e.total_minor > e.shipping_minor
        and e.external_id not in returngos
    ]  # fmt: skip


def asked_before(rma: Rma, unnamed: Sequence[Effect]) -> list[Effect]:
    """Those of them since the return was asked for; of a charge-back nobody ever says the lines, and it may come
    first."""
    asked = rma.marks.get("requested")
    since = 0 if asked is None else asked.at_ms
    return [e for e in unnamed if e.stamp.at_ms >= since or e.kind == "chargeback"]
