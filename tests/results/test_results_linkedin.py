"""What LinkedIn's results say: the page's own samples, every odd shape of a URN, and every way not to get an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_cases import END, LATER, NOW, PAGE_RESULT, PAGE_SHORT_URNS, SETTINGS, live, subject, without

from reconciler.errors import BadAnswer
from reconciler.model.resource import Key
from reconciler.platforms.linkedin.outcome import cell_of, outcome, read_outcomes
from reconciler.platforms.outcomes import Conclusion, ExperimentResult, Interval, Subject, outcome_reader_of
from reconciler.platforms.registry import PLATFORMS


def of(body: dict[str, Any], now: datetime = NOW, **more: Any) -> ExperimentResult:
    return outcome(subject(**more), SETTINGS, now, answer=body)


def test_the_page_s_single_result() -> None:
    result = of(PAGE_RESULT)
    assert result.conclusion is Conclusion.WINNER
    assert result.winner is not None
    assert [(arm.name, arm.winner, arm.interval) for arm in result.arms] == [
        ("control", True, Interval(4.39, 5.62)),
        ("test", False, Interval(5.23, 8.76)),
    ]
    found = result.statistics
    assert found is not None
    assert (found.p_value, found.minimum_detectable_effect, found.confidence, found.metric) == (0.05, 0.09, 90, "CPC")
    assert found.generated_on == date(2018, 12, 12)
    assert result.problem == ""


def test_the_page_s_short_urns_one_without_its_parenthesis() -> None:
    result = of(PAGE_SHORT_URNS, remote_id="234", campaigns=(9015782, 7928534))
    assert result.winner is not None
    assert result.winner.name == "test"
    assert [arm.interval for arm in result.arms] == [Interval(2.2, 3.5), Interval(1.6, 2.7)]


@pytest.mark.parametrize(
    ("urn", "cell"),
    [
        ("urn:li:adExperimentCell:(urn:li:sponsoredCampaign:1234,567)", ("1234", "567")),
        ("urn:li:adExperimentCell:(urn:li:sponsoredCampaign:1234,567", ("1234", "567")),
        ("urn:li:adExperimentCell:(1234,567)", ("1234", "567")),
        ("urn:li:adExperimentCell:(1234,567", ("1234", "567")),
        ("urn%3Ali%3AadExperimentCell%3A%28urn%3Ali%3AsponsoredCampaign%3A1234%2C567%29", ("1234", "567")),
        ("urn:li:adExperimentCell:1234", None),
        ("urn:li:adExperimentCell:(a,b)", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_cell_urns(urn: Any, cell: tuple[str, str] | None) -> None:
    assert cell_of(urn) == cell


@given(st.integers(1, 10**18), st.integers(1, 10**18), st.booleans(), st.booleans())
def test_any_cell_urn(campaign: int, experiment: int, long: bool, closed: bool) -> None:
    inner = f"urn:li:sponsoredCampaign:{campaign}" if long else str(campaign)
    urn = f"urn:li:adExperimentCell:({inner},{experiment}" + (")" if closed else "")
    assert cell_of(urn) == (str(campaign), str(experiment))


@given(st.text())
def test_any_text_is_a_cell_or_none(text: str) -> None:
    found = cell_of(text)
    assert found is None or all(part.isdecimal() for part in found)


@pytest.mark.parametrize(
    ("effect", "conclusion"),
    [(0.02, Conclusion.NO_DIFFERENCE), (0.0999, Conclusion.NO_DIFFERENCE), (0.1, Conclusion.NO_WINNER)],
)
def test_without_a_winner_the_detectable_effect_decides(effect: float, conclusion: Conclusion) -> None:
    body = without(PAGE_RESULT, "winner", "pValue", minimumDetectableEffect=effect)
    assert of(body).conclusion is conclusion


def test_without_a_winner_and_an_effect() -> None:
    assert of(without(PAGE_RESULT, "winner", "pValue", "minimumDetectableEffect")).conclusion is Conclusion.NO_WINNER


def test_a_result_without_any_figure_is_not_ready() -> None:
    assert of({"experimentId": 123, "cellResults": []}).conclusion is Conclusion.NOT_READY


@pytest.mark.parametrize(
    ("now", "preliminary"),
    [(NOW, True), (END, True), (LATER - timedelta(seconds=1), True), (LATER, False)],
)
def test_preliminary_until_seven_days_after_the_end(now: datetime, preliminary: bool) -> None:
    result = of(PAGE_RESULT, now)
    assert result.statistics is not None
    assert result.statistics.preliminary is preliminary
    assert any(note.startswith("preliminary") for note in result.notes) is preliminary


def test_one_that_ended_early_counts_from_then() -> None:
    ended = datetime(2018, 12, 1, tzinfo=UTC)
    result = of(PAGE_RESULT, ended + timedelta(days=7), endedAt=int(ended.timestamp() * 1000))
    assert result.end == ended
    assert result.statistics is not None
    assert not result.statistics.preliminary


def test_a_winner_that_the_experiment_does_not_have_is_shown_by_its_campaign() -> None:
    result = of(without(PAGE_RESULT, winner="urn:li:adExperimentCell:(9,123)"))
    assert result.winner is not None
    assert result.winner.entities == ("9",)
    assert any("does not have: 9" in note for note in result.notes)


@pytest.mark.parametrize("winner", ["urn:li:adExperimentCell:(1234,999)", "control"])
def test_a_winner_that_cannot_be_made_out_is_no_winner(winner: str) -> None:
    result = of(without(PAGE_RESULT, winner=winner))
    assert result.conclusion is Conclusion.UNKNOWN
    assert winner in result.problem


@pytest.mark.parametrize(
    "wrong",
    [
        {"pValue": "0.05"},
        {"pValue": True},
        {"minimumDetectableEffect": []},
        {"minimumDetectableEffect": 10**400},
        {"generatedOn": {"day": 31, "month": 2, "year": 2018}},
        {"generatedOn": "2018-12-12"},
        {"cellResults": {}},
        {"experimentId": 124},
        {"cellResults": [{**PAGE_RESULT["cellResults"][0], "confidenceInterval": {"lowerBound": 2, "upperBound": 1}}]},
    ],
    ids=lambda wrong: json.dumps(wrong)[:40],
)
def test_other_shapes_are_bad_answers(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        of(without(PAGE_RESULT, **wrong))


# --- over HTTP -------------------------------------------------------------------------------------------------------


def read(handler: Callable[[httpx.Request], httpx.Response], count: int = 1) -> list[ExperimentResult]:
    subjects = [Subject(Key("LinkedInExperiment", f"e{n}"), live(str(123 + n))) for n in range(count)]
    found = asyncio.run(read_outcomes(SETTINGS, subjects, NOW, transport=httpx.MockTransport(handler)))
    return [found[item.key] for item in subjects]


def refusal(status: int, code: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status, **({"code": code} if code else {})}, headers=headers)


def test_the_request() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=PAGE_RESULT)

    (result,) = read(handler)
    assert result.conclusion is Conclusion.WINNER
    (request,) = seen
    assert (request.method, str(request.url)) == ("GET", "https://api.linkedin.com/rest/adExperimentResults/123")
    assert request.headers["linkedin-version"] == "202609"
    assert request.headers["x-restli-protocol-version"] == "2.0.0"


@pytest.mark.parametrize(
    ("answer", "conclusion", "words"),
    [
        (refusal(404, "EXPERIMENT_RESULT_NOT_FOUND"), Conclusion.NOT_READY, ""),
        (refusal(404, **{"X-RestLi-Error-Response": "true"}), Conclusion.NOT_READY, ""),
        (refusal(404, "EXPERIMENT_NOT_FOUND"), Conclusion.GONE, ""),
        (httpx.Response(404, text="<html>nothing here</html>"), Conclusion.UNKNOWN, "HTTP 404"),
        (refusal(404, "RESOURCE_NOT_FOUND"), Conclusion.UNKNOWN, "RESOURCE_NOT_FOUND"),
        (refusal(403, "FORBIDDEN"), Conclusion.UNKNOWN, "r_ads or rw_ads"),
        (refusal(426), Conclusion.UNKNOWN, "api_version"),
        (httpx.Response(200, text="[]"), Conclusion.UNKNOWN, "an object was expected"),
        (httpx.Response(200, text="{"), Conclusion.UNKNOWN, "not the JSON expected"),
        (httpx.Response(200, json=without(PAGE_RESULT, pValue="x")), Conclusion.UNKNOWN, "pValue"),
    ],
    ids=["not yet", "restli", "gone", "web page", "other code", "role", "version", "list", "cut", "type"],
)
def test_answers(answer: httpx.Response, conclusion: Conclusion, words: str) -> None:
    (result,) = read(lambda request: answer)
    assert result.conclusion is conclusion
    assert words in result.problem
    assert bool(result.problem) is (conclusion is Conclusion.UNKNOWN)
    assert "very-secret-token" not in result.problem
    assert [arm.name for arm in result.arms] == ["control", "test"]


def test_one_failure_leaves_the_others() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.rpartition("/")[2])
        return refusal(403, "FORBIDDEN") if number == 124 else httpx.Response(200, json={"experimentId": number})

    assert [bool(result.problem) for result in read(handler, 3)] == [False, True, False]


def test_after_a_refused_token_nothing_more_is_sent() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return refusal(401)

    results = read(handler, 40)
    assert len(seen) <= 8
    assert all("not authorised" in result.problem for result in results)


def test_a_few_at_once() -> None:
    running, most = 0, 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return refusal(404, "EXPERIMENT_RESULT_NOT_FOUND")

    assert len(read(handler, 30)) == 30  # type: ignore[arg-type]
    assert 1 < most <= 4


def test_every_platform_has_a_reader() -> None:
    assert all(callable(outcome_reader_of(platform)) for platform in PLATFORMS)
