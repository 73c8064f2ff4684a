"""
The outcome of LinkedIn's A/B tests: one read of `adExperimentResults` for each, a few at once.

The page spells the resource's finder in three ways that contradict each other, and documents no batch get, so single
gets are used. Results are computed daily, the first about two days after the start, and may still move for seven days
after the end (doc: LinkedIn's help centre a525922); a careful reader takes none for final before that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from reconciler.errors import BadAnswer, LimitReached, PlatformError, Unauthorized
from reconciler.model.resource import Key, Live
from reconciler.model.time import from_epoch_ms, iso
from reconciler.platforms import auth
from reconciler.platforms.http import HttpClient
from reconciler.platforms.linkedin import refusals
from reconciler.platforms.linkedin.client import PROTOCOL
from reconciler.platforms.outcomes import Arm, Conclusion, ExperimentResult, Interval, Statistics, Subject
from reconciler.platforms.response import Response
from reconciler.platforms.session import ConnectionSettings
from reconciler.platforms.tokens import NO_TOKEN

if TYPE_CHECKING:
    import httpx

RESULTS: Final = "/rest/adExperimentResults"
NOT_READY: Final = "EXPERIMENT_RESULT_NOT_FOUND"
AT_ONCE: Final = 4
SETTLING: Final = timedelta(days=7)
"""How long after the end p-values may still move (doc: LinkedIn's help centre)."""
SMALL_EFFECT: Final = 0.1
"""No winner and a minimum detectable effect below this means that there is no practical difference (seed)."""
_CELL = re.compile(r"(\d+)\D*,\D*(\d+)\D*")
_FIRST_RESULT = "LinkedIn shows the first results about 2 days after the start"
_READERS = "the scope r_ads or rw_ads and a role in the ad account (VIEWER is enough)"


async def read_outcomes(
    settings: ConnectionSettings,
    subjects: Sequence[Subject],
    now: datetime,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Mapping[Key, ExperimentResult]:
    """Give the outcome of each experiment; after a limit or a refused token nothing more is sent."""
    http = HttpClient(
        settings,
        auth.linkedin(settings),
        headers={"LinkedIn-Version": settings.api_version, "X-RestLi-Protocol-Version": PROTOCOL},
        concurrency=AT_ONCE,
        transport=transport,
    )
    slots = asyncio.Semaphore(AT_ONCE)
    halted: list[PlatformError] = []

    async def read(subject: Subject) -> ExperimentResult:
        async with slots:
            if halted:
                return outcome(subject, settings, now, error=str(halted[0]))
            try:
                return await _read(http, settings, subject, now)
            except PlatformError as error:
                if isinstance(error, LimitReached) or error.status == 401 or error.code == NO_TOKEN:
                    halted.append(error)
                return outcome(subject, settings, now, error=str(error))

    try:
        results = await asyncio.gather(*(read(subject) for subject in subjects))
    finally:
        await http.close()
    return {result.key: result for result in results}


async def _read(http: HttpClient, settings: ConnectionSettings, subject: Subject, now: datetime) -> ExperimentResult:
    """Give one outcome; raises PlatformError for every answer but a result, "not yet" and "no such experiment"."""
    response = await http.read("GET", f"{RESULTS}/{subject.live.remote_id}")
    if response.status == 404 and (conclusion := _not_found(response)):
        return outcome(subject, settings, now, answer=conclusion)
    if response.status == 403:
        raise response.error(Unauthorized, f"no access to the results: {response.excerpt}; reading needs {_READERS}")
    if response.status >= 300:
        raise refusals.refusal(response, settings.api_version)
    body = response.json()
    if not isinstance(body, Mapping):
        raise response.bad_answer("an object was expected as the result of an experiment")
    try:
        return outcome(subject, settings, now, answer=body)
    except BadAnswer as error:
        raise response.bad_answer(str(error)) from None


def _not_found(response: Response) -> Conclusion | None:
    """Tell what a 404 means: no result yet, no experiment, or (a wrong address) nothing that is known."""
    try:
        code = refusals.problem(response.json()).code
    except BadAnswer:
        return None
    if code == refusals.NOT_FOUND:
        return Conclusion.GONE
    restli = response.headers.get("x-restli-error-response", "").lower() == "true"
    return Conclusion.NOT_READY if code == NOT_READY or (not code and restli) else None


# --- what an answer says; no I/O -------------------------------------------------------------------------------------


def outcome(
    subject: Subject,
    settings: ConnectionSettings,
    now: datetime,
    *,
    answer: Mapping[str, Any] | Conclusion = Conclusion.UNKNOWN,
    error: str = "",
) -> ExperimentResult:
    """Give the outcome that an answer (or the lack of one) means; raises BadAnswer for another shape."""
    live = subject.live
    notes: list[str] = []
    statistics = None
    arms = _arms(live)
    if isinstance(answer, Conclusion):
        conclusion = answer
        if conclusion is Conclusion.NOT_READY:
            notes.append(_FIRST_RESULT)
    else:
        statistics = read_statistics(answer, live, now)
        arms, notes = _with_figures(arms, answer, live.remote_id)
        conclusion = _conclusion(answer, statistics, won=any(arm.winner for arm in arms))
        if conclusion is Conclusion.UNKNOWN:
            error = f"LinkedIn names a winner that cannot be made out: {str(answer['winner'])[:200]}"
        if statistics.preliminary:
            until = f", {iso(statistics.settles_at)}" if statistics.settles_at else ""
            notes.append(f"preliminary: the figures may move until 7 days after the end{until}")
    return ExperimentResult(
        subject.key,
        settings.platform,
        settings.name,
        live.remote_id,
        conclusion,
        name=live.name,
        status=live.status,
        start=live.start,
        end=_end(live),
        arm_word="cell",
        entity_word="campaign",
        arms=arms,
        statistics=statistics,
        notes=tuple(notes),
        problem=error,
    )


def _conclusion(body: Mapping[str, Any], statistics: Statistics, *, won: bool) -> Conclusion:
    if won:
        return Conclusion.WINNER
    if body.get("winner"):
        return Conclusion.UNKNOWN
    effect = statistics.minimum_detectable_effect
    if not body.get("cellResults") and effect is None:
        return Conclusion.NOT_READY  # "empty when no result has been collected" (seed)
    return Conclusion.NO_DIFFERENCE if effect is not None and effect < SMALL_EFFECT else Conclusion.NO_WINNER


def read_statistics(body: Mapping[str, Any], live: Live, now: datetime) -> Statistics:
    """
    Read the figures of one result; raises BadAnswer when one is of another type, or the result of another experiment.

    It is preliminary until 7 days after the end; an experiment that ended early counts from then.
    """
    named = body.get("experimentId")
    if named is not None and str(named) != live.remote_id:
        raise BadAnswer(f"the result of experiment {live.remote_id} was asked for, and that of {named!r:.40} came")
    if not isinstance(body.get("cellResults"), list | None):
        raise BadAnswer("cellResults is not a list")
    end = _end(live)
    settles = end + SETTLING if end is not None and end < datetime.max.replace(tzinfo=end.tzinfo) - SETTLING else None
    confidence = live.spec.get("confidence")
    return Statistics(
        metric=str(live.spec.get("keyMetric") or ""),
        confidence=confidence if isinstance(confidence, int) else None,
        p_value=_number(body, "pValue"),
        minimum_detectable_effect=_number(body, "minimumDetectableEffect"),
        generated_on=_day(body.get("generatedOn")),
        settles_at=settles,
        preliminary=settles is None or now < settles,
    )


def cell_of(urn: Any) -> tuple[str, str] | None:
    """
    Give campaign and experiment of a cell's URN as numbers in text; None for anything else.

    The page defines `urn:li:adExperimentCell:(urn:li:sponsoredCampaign:C,E)` and shows `(C,E)` too, once without the
    closing parenthesis (seed): the numbers on both sides of the comma count.
    """
    if not isinstance(urn, str):
        return None
    found = _CELL.fullmatch(unquote(urn).rpartition("(")[2].rpartition("sponsoredCampaign:")[2])
    return (found[1], found[2]) if found else None


def _arms(live: Live) -> tuple[Arm, ...]:
    return tuple(
        Arm(cell.get("name") or "", (_campaign(cell),), str(cell.get("trafficWeight", "")))
        for cell in live.spec.get("cells", ())
    )


def _campaign(cell: Mapping[str, Any]) -> str:
    return str(cell["reference"]["campaign"]).rpartition(":")[2]


def _with_figures(arms: Sequence[Arm], body: Mapping[str, Any], remote_id: str) -> tuple[tuple[Arm, ...], list[str]]:
    """Lay the winner and the intervals over the cells by their campaigns; cells that only the result has come last."""
    notes: list[str] = []
    intervals: dict[str, Interval | None] = {}
    for entry in body.get("cellResults") or []:
        urn = entry.get("cell") if isinstance(entry, Mapping) else None
        cell = cell_of(urn)
        if cell is None or cell[1] != remote_id:
            notes.append(f"the result speaks of a cell that is not known: {str(urn)[:200]}")
            continue
        intervals[cell[0]] = _interval(entry.get("confidenceInterval"))
    won = cell_of(body.get("winner"))
    winner = won[0] if won is not None and won[1] == remote_id else ""
    known = {arm.entities[0] for arm in arms}
    extra = [campaign for campaign in dict.fromkeys([*intervals, winner]) if campaign and campaign not in known]
    if extra:
        notes.append(f"the result speaks of campaigns that the experiment does not have: {', '.join(extra)}")
    every = [*arms, *(Arm("", (campaign,)) for campaign in extra)]
    return tuple(
        Arm(
            arm.name,
            arm.entities,
            arm.share,
            winner=arm.entities[0] == winner,
            interval=intervals.get(arm.entities[0]),
        )
        for arm in every
    ), notes


def _interval(value: Any) -> Interval | None:
    """Read an interval; a missing bound is no interval. Raises BadAnswer for other types or bounds the wrong way."""
    if not isinstance(value, Mapping):
        return None
    lower, upper = _number(value, "lowerBound"), _number(value, "upperBound")
    if lower is None or upper is None:
        return None
    if lower > upper:
        raise BadAnswer(f"a confidence interval has its lower bound {lower} above its upper bound {upper}")
    return Interval(lower, upper)


def _number(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAnswer(f"{key} {value!r:.60} is not a number")
    try:
        return float(value)
    except OverflowError:
        raise BadAnswer(f"{key} is too large a number") from None


def _day(value: Any) -> date | None:
    """Read `{day, month, year}`; raises BadAnswer when that is no day."""
    if value is None:
        return None
    try:
        return date(value["year"], value["month"], value["day"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadAnswer(f"generatedOn {value!r:.80} is not a day") from None


def _end(live: Live) -> datetime | None:
    """Give when it ended, which may be before its scheduled end, else when it is to end."""
    ended = live.extra.get("endedAt")
    if isinstance(ended, int) and not isinstance(ended, bool):
        try:
            return from_epoch_ms(ended)
        except ValueError:
            return live.end
    return live.end
