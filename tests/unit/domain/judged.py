"""A case as it is judged now."""

from schemas.merchant import Merchant
from streams.domain.judge import Picture, Survey, judge, survey
from streams.domain.state import Case


def surveyed(case: Case, rules: Merchant) -> Survey:
    return survey(case.learnt, case.decided, rules)


def judged(case: Case, rules: Merchant) -> Picture:
    return judge(surveyed(case, rules), case.decided, rules)
