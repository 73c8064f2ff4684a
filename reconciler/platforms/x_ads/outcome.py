"""
The outcome of X's A/B tests: there is none to read. The test object carries no metric, winner or result, and no other
resource does (seed, by absence); what is left are the ordinary analytics of the campaigns or line items in each group
(doc: X Ads API, Analytics: `stats/accounts/:account_id`, 7 days a request; `stats/jobs/…` for up to 90 days).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from reconciler.model.resource import Key
from reconciler.platforms.outcomes import Arm, Conclusion, ExperimentResult, Fact, Subject
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.x_ads.facts import LINE_ITEM, USER_GROUPS

NO_RESULTS: Final = (
    "X has no resource for the results of an A/B test: compare the analytics of the campaigns or line items of each "
    "group over the time of the test"
)


async def read_outcomes(
    settings: ConnectionSettings, subjects: Sequence[Subject], now: datetime
) -> Mapping[Key, ExperimentResult]:
    """Give groups, sizes and ids, and where their figures stand; sends nothing."""
    return {subject.key: _outcome(subject, settings) for subject in subjects}


def _outcome(subject: Subject, settings: ConnectionSettings) -> ExperimentResult:
    live = subject.live
    entity_type = str(live.spec.get("entity_type") or "")
    account = quote(live.account or str(live.spec.get("account_id") or ""), safe="")
    stats = f"/{settings.api_version}/stats"
    return ExperimentResult(
        subject.key,
        settings.platform,
        settings.name,
        live.remote_id,
        Conclusion.NOT_SHOWN,
        name=live.name,
        status=live.status,
        start=live.start,
        end=live.end,
        arm_word="group",
        entity_word="line item" if entity_type == LINE_ITEM else "campaign",
        arms=tuple(
            Arm(group.get("name") or f"group {number}", tuple(group.get("entity_ids", ())), str(group.get("size", "")))
            for number, group in enumerate(live.spec.get(USER_GROUPS, ()), 1)
        ),
        facts=(
            Fact("analytics", "analytics", f"GET {stats}/accounts/{account}?entity={entity_type}&entity_ids=…"),
            Fact("analyticsJobs", "over 7 days", f"POST {stats}/jobs/accounts/{account}"),
        ),
        notes=(NO_RESULTS,),
    )
