"""Runs the table cases that are written beside policies: each states an experiment or change, and what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.policy.policy import Case, Policy


@dataclass(frozen=True)
class CaseResult:
    """What came of one case; `why` is empty when it came out as expected."""

    policy: Policy
    case: Case
    why: str
    message: str = ""


def run_cases(policies: Iterable[Policy]) -> Iterator[CaseResult]:
    """Give the result of every case, policy by policy."""
    for policy in policies:
        for case in policy.cases:
            yield _run(policy, case)


def _run(policy: Policy, case: Case) -> CaseResult:
    verdict = policy.judge(case.given)
    if verdict.word != case.expect:
        said = f": {verdict.message}" if verdict.message else ""
        why = f"expected {_WORDS[case.expect]}, and it {_CAME[verdict.word]}{said}"
    elif case.message and case.message not in verdict.message:
        why = f"the message does not contain {case.message!r}: {verdict.message}"
    else:
        why = ""
    return CaseResult(policy, case, why, verdict.message)


_WORDS = {"pass": "pass", "fail": "fail", "skip": "skip (not to apply)"}
_CAME = {"pass": "passed", "fail": "failed", "skip": "did not apply"}
