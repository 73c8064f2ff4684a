"""
The ready policies, one table: the expressions are the same CEL that a project writes itself, with parameters.

It knows nothing of the project: what a project states are the parameters, the severity and the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.policy.params import Param, Sort


@dataclass(frozen=True)
class Ready:
    """One ready policy, as a project would write it."""

    name: str
    title: str
    match: str
    asserts: str
    message: str
    params: tuple[Param, ...] = ()
    blocks: bool = True


_MAKES = "change.action in ['create', 'replace', 'adopt']"
_WANTED = "experiment.scheduled && !experiment.ending"

_TABLE: Final = (
    Ready(
        "min-confidence",
        "An experiment that states a confidence states at least this one.",
        "has(experiment.spec.confidence)",
        "double(experiment.spec.confidence) >= params.percent",
        "confidence is {{ experiment.spec.confidence }}; it has to be at least {{ params.percent }}",
        (Param("percent", Sort.NUMBER, "The least confidence, in percent.", 90, 50, 100),),
    ),
    Ready(
        "min-duration",
        "An experiment lasts at least this long.",
        _WANTED,
        "experiment.duration >= params.span",
        "it lasts {{ experiment.duration }}; it has to last at least {{ params.span }}",
        (Param("span", Sort.SPAN, "The shortest time from start to end.", "7d"),),
    ),
    Ready(
        "max-duration",
        "An experiment lasts at most this long.",
        _WANTED,
        "experiment.duration <= params.span",
        "it lasts {{ experiment.duration }}; it has to last at most {{ params.span }}",
        (Param("span", Sort.SPAN, "The longest time from start to end.", "60d"),),
    ),
    Ready(
        "no-weekend-start",
        "An experiment does not start on a Saturday or Sunday.",
        _WANTED,
        "!(experiment.start.getDayOfWeek(params.timezone) in [0, 6])",
        "it starts on a {{ experiment.start.getDayOfWeek(params.timezone) == 0 ? 'Sunday' : 'Saturday' }} "
        "({{ experiment.start }}, in {{ params.timezone }})",
        (Param("timezone", Sort.ZONE, "Where the day is read.", "UTC"),),
    ),
    Ready(
        "lead-time",
        "A new experiment, or a new start, is planned some time ahead.",
        f"{_WANTED} && "
        "(change.action in ['create', 'replace'] || change.paths.exists(p, p in ['scheduledStartAt', 'start_time']))",
        "experiment.start - now >= params.span",
        "it starts {{ experiment.start - now }} from now; it has to be planned at least {{ params.span }} ahead",
        (Param("span", Sort.SPAN, "The least time from the plan to the start.", "24h"),),
    ),
    Ready(
        "equal-split",
        "All arms get the same share of the traffic.",
        "size(experiment.shares) > 1 && !experiment.ending",
        "experiment.shares.all(share, math.abs(share - 100.0 / double(size(experiment.shares))) <= params.tolerance)",
        "the shares are {{ experiment.shares }} %; each has to be within {{ params.tolerance }} points of an equal one",
        (Param("tolerance", Sort.NUMBER, "How far a share may be off, in percentage points.", 0.5, 0, 50),),
    ),
    Ready(
        "owner-label",
        "Every manifest says who answers for it.",
        "true",
        "params.label in experiment.labels && experiment.labels[params.label].matches(params.pattern)",
        "metadata.labels needs {{ params.label }}"
        "{{ params.pattern == '.' ? '' : ', with a value that matches ' + params.pattern }}",
        (
            Param("label", Sort.TEXT, "The label.", "owner"),
            Param("pattern", Sort.PATTERN, "What its value matches, found anywhere in it.", "."),
        ),
    ),
    Ready(
        "max-running-per-account",
        "An account has no more than so many experiments that are not over, those of the plan included.",
        f"{_MAKES} && !experiment.ending",
        "project.accountRunning <= params.limit",
        "{{ experiment.account == '' ? experiment.connection : experiment.account }} would have "
        "{{ project.accountRunning }} experiments; at most {{ params.limit }} may be there at once",
        (Param("limit", Sort.COUNT, "The most experiments of one account.", 10, 1, 1_000_000),),
    ),
    Ready(
        "freeze-windows",
        "Nothing is changed during these times.",
        "change.action != 'forget'",
        "!params.windows.exists(w, timestamp(w.from) <= now && now < timestamp(w.to))",
        "nothing may be changed now: "
        "{{ params.windows.filter(w, timestamp(w.from) <= now && now < timestamp(w.to))"
        ".map(w, string(w.name) + ' until ' + string(w.to)) }}",
        (Param("windows", Sort.WINDOWS, "The times."),),
    ),
    Ready(
        "naming-pattern",
        "Manifests are named alike.",
        "true",
        "experiment.name.matches(params.pattern)",
        "the name {{ experiment.name }} does not match {{ params.pattern }}",
        (Param("pattern", Sort.PATTERN, "What metadata.name matches; ^ and $ tie it to begin and end."),),
    ),
    Ready(
        "running-needs-label",
        "A running experiment is changed or ended only when its manifest carries a label.",
        "live.running && change.action in ['update', 'replace', 'delete', 'adopt']",
        "params.label in experiment.labels",
        "it is {{ live.status }}, and to {{ change.action }} a running one its manifest needs the label "
        "{{ params.label }}",
        (Param("label", Sort.TEXT, "The label.", "change-approved"),),
    ),
    Ready(
        "enough-traffic",
        "An experiment with a hypothesis has the chance to find its effect.",
        "sanity.stated && sanity.expected > 0 && !experiment.ending",
        "sanity.power >= params.power",
        "its chance to find the effect is {{ sanity.power * 100.0 }} %; it has to be at least "
        "{{ params.power * 100.0 }} % ({{ sanity.expected }} people come, {{ sanity.needed }} are needed)",
        (Param("power", Sort.NUMBER, "The least chance, 0 to 1.", 0.8, 0, 1),),
    ),
    Ready(
        "whole-weeks",
        "An experiment lasts a whole number of weeks.",
        _WANTED,
        "sanity.wholeWeeks",
        "it lasts {{ experiment.duration }}, which is not a whole number of weeks",
    ),
)
LIBRARY: Final[Mapping[str, Ready]] = {row.name: row for row in _TABLE}
"""Every ready policy by its name, in the order in which they are told."""
