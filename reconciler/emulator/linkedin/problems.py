"""
The codes of the A/B Testing page with their words and statuses, and the envelopes in which they are answered.

Source: the tables "Exceptions", "Validation Error Code" and "AdExperimentErrorDetailCode Schema" of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SERVICE_EXCEPTION = "com.linkedin.restli.server.RestLiServiceException"
SEVERAL_TYPE = "com.linkedin.ads.AdExperimentExceptionDetail"
SINGLE_TYPE = "com.linkedin.ads.AdExperimentValidationDetail"

STATUS = {
    "CAMPAIGN_ALREADY_SCHEDULED": 409,
    "WRITE_CONFLICT": 409,
    "EXPERIMENT_NOT_FOUND": 404,
    "EXPERIMENT_RESULT_NOT_FOUND": 404,
    "FORBIDDEN": 403,
    "DELETION_NOT_ALLOWED": 405,
}
"""Statuses other than 422."""

WORDS = {
    "AB_TEST_BUDGET_BELOW_RECOMMENDATION": "While conclusive results are never guaranteed, you can increase the"
    " likelihood of a conclusive test result by increasing your test budget to $5,000",
    "AB_TEST_CANCELED": "Due to your particular test setup, your test results and statistical strength can continue to"
    " fluctuate up or down for a number of days after your scheduled end date. For the most accurate readout, wait"
    " until your test has completed and this period has passed.",
    "AB_TEST_DURATION_BELOW_RECOMMENDATION": "While conclusive results are never guaranteed, you can increase the"
    " likelihood of a conclusive test result by running your test for at least 3 weeks.",
    "AB_TEST_PAUSED": "Pausing this test will pause both campaigns. Your test's end date will not change.",
    "ACCOUNT_ALREADY_RUNNING_BRAND_LIFT_TEST": "Account provided has a brand lift test with overlapping schedule. A/B"
    " test cannot run concurrently with a brand lift test.",
    "ACCOUNT_NOT_FOUND": "The ad account does not exist.",
    "ACCOUNT_NOT_SERVABLE": "System does not allow account to be served. For example, account is canceled. This cannot"
    " be reverted by user.",
    "ACCOUNT_ON_HOLD": "User does not allow account to be served. For example, account has total budget on hold flag."
    " This can be reverted by user.",
    "BATCH_GET_ENTITY_FROM_DIFFERENT_ACCOUNT": "Batch Get request is trying to fetch entities from multiple accounts",
    "BUDGET_AND_CELL_WEIGHT_NOT_PROPORTIONAL": "The budget allocation of the cells is not proportional to their traffic"
    " weight allocation.",
    "CAMPAIGNS_FROM_DIFFERENT_ACCOUNT": "The campaigns referenced in the experiment belong to two separate accounts.",
    "CAMPAIGN_ALREADY_SCHEDULED": "There is an already existing experiment with overlapping schedule containing same"
    " campaign.",
    "CAMPAIGN_AUDIENCE_EXPANSION_ENABLED": "The campaign has the Audience Expansion feature enabled. A/B testing is"
    " currently not supported for the Audience Expansion feature, and this may result in inaccurate statistical"
    " results.",
    "CAMPAIGN_BID_MUST_BE_GREATER_THAN_MINIMUM": "You must set a higher bid price than minimum for this campaign type.",
    "CAMPAIGN_DIFFERENT_TARGETING": "The campaigns referenced in the experiment are targeting different audiences.",
    "CAMPAIGN_FINISHES_TOO_EARLY": "The campaign is scheduled to end before the experiments scheduled end time.",
    "CAMPAIGN_GROUPS_DIFFERENT": "The campaigns in the experiment belong to different campaign groups under the same"
    " account.",
    "CAMPAIGN_GROUP_DYNAMIC_BUDGET_OPTIMIZATION_MUST_BE_DISABLED": "You should disable Campaign Group Dynamic Budget"
    " Optimization for valid A/B test.",
    "CAMPAIGN_GROUP_SCHEDULE_ENDS_TOO_SOON": "Your campaign group's budget ends before the test end date. If you don't"
    " update the campaign group budget, then the test may be put on hold before it reaches its end date.",
    "CAMPAIGN_NOT_FOUND": "The campaign does not exist.",
    "CAMPAIGN_NOT_SERVABLE": "System does not allow campaign to be served. For example, campaign is canceled. This"
    " cannot be reverted by the user.",
    "CAMPAIGN_ON_HOLD": "User does not allow campaign to be served. For example, campaign is paused by user. This can"
    " be reverted by user.",
    "CAMPAIGN_STARTS_TOO_EARLY": "The campaign is scheduled to run before the experiment scheduled start time.",
    "CAMPAIGN_STARTS_TOO_LATE": "The campaign is scheduled to start after the experiments scheduled start time.",
    "DELETION_NOT_ALLOWED": "Delete operation is not allowed except for experiments in PENDING execution state.",
    "DUPLICATE_ELEMENTS_IN_CELLS": "Both cells reference the same entity.",
    "EXPERIMENT_NOT_FOUND": "AdExperiment referenced in the request doesn't exist",
    "EXPERIMENT_RESULT_NOT_FOUND": "AdExperiment referenced in the request exists. But corresponding result is not"
    " generated yet.",
    "FORBIDDEN": "User has no access.",
    "INVALID_CONFIDENCE_VALUE": "Experiment's confidence value must be >= 51 AND <= 99.",
    "INVALID_END_TIME": "Scheduled end time is not valid. It cannot be in the past or more than 180 days in the"
    " future.",
    "INVALID_KEY_METRIC": "The campaigns cannot provide information for the experiment's KeyMetric. For example,"
    " campaign ad format is not video, but experiment's KeyMetric is CPV.",
    "INVALID_NO_OF_CELLS": "The experiment must contain exactly 2 cells.",
    "INVALID_SCHEDULE": "Experiment's schedule is not valid. Experiment cannot be scheduled to run for more than 90"
    " days.",
    "INVALID_START_TIME": "Scheduled start time is not valid. It has to be positive.",
    "INVALID_STATE_TRANSITION": "The user is attempting to make a state change that is not allowed.",
    "INVALID_SUM_OF_WEIGHT_OF_CELLS": "The sum of traffic weight of cells must equal 100.",
    "INVALID_WEIGHT_OF_CELL": "A cell has an unexpected traffic weight. It must be >= 1, and <= 99.",
    "MULTIPLE_VALIDATIONS_FAILED": "Multiple errors occurred during the input validation. Please see errorDetails for"
    " more information.",
    "NO_ACTIVE_CREATIVES": "At least one variant in your A/B test has no Active creatives. Your A/B test can't run"
    " until both variants have at least one Active creative.",
    "SCHEMA_MISMATCH": "Input does not match schema.",
    "SET_OR_UPDATE_NOT_ALLOWED": "The request is attempting to either set or modify a field(s) which is not allowed.",
    "SOME_CREATIVES_IN_DRAFT": "At least one creative in your A/B test is in Draft. A creative can't run as part of"
    " your A/B test until it is Active.",
}


@dataclass(frozen=True)
class Failure:
    """
    One thing that is wrong with an experiment, or worth a warning.

    `path` is a JSON pointer into the experiment; `number` the offending value, where it is a number; `entity` the URN
    of the account or campaign that it is about; `more` is said after the page's own words.
    """

    code: str
    path: str | None = None
    number: int | None = None
    entity: str | None = None
    more: str = ""

    @property
    def message(self) -> str:
        """The page's words for the code, and what is known beyond them."""
        return f"{WORDS[self.code]} {self.more}".rstrip()

    def detail(self) -> dict[str, Any]:
        """Give the AdExperimentValidationDetail."""
        detail: dict[str, Any] = {}
        if self.entity is not None:
            kind = "account" if self.entity.startswith("urn:li:sponsoredAccount:") else "campaign"
            detail["associatedEntity"] = {kind: self.entity}
        if self.path is not None:
            problem: dict[str, Any] = {"inputPath": {"fieldPath": self.path}}
            if self.number is not None:
                problem["value"] = {"decimalValue": str(self.number)}
            detail["pathErrors"] = [{"input": problem}]
        return detail

    def item(self, level: str) -> dict[str, Any]:
        """Give the AdExperimentValidationResultItem with the level `WARNING` or `ERROR`."""
        return {"code": self.code, "level": level, "message": self.message, "detail": self.detail()}


class Refused(Exception):
    """An answer other than success: its status and its body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("message", body.get("code", "")))
        self.status = status
        self.body = body


def refused(code: str) -> Refused:
    """Give the refusal of a code that stands alone, such as FORBIDDEN or EXPERIMENT_NOT_FOUND."""
    return Refused(STATUS.get(code, 422), plain_error(code))


def plain_error(code: str) -> dict[str, Any]:
    """Give the error object without details, as it stands in `errors` of a batch get too."""
    status = STATUS.get(code, 422)
    return {"code": code, "exceptionClass": SERVICE_EXCEPTION, "message": WORDS[code], "status": status}


def failed(failures: Sequence[Failure]) -> Refused:
    """Give the refusal of a write for at least one failure: the single envelope or the one for several."""
    if len(failures) == 1:
        only = failures[0]
        body = plain_error(only.code) | {"message": only.message}
        return Refused(body["status"], body | {"errorDetailType": SINGLE_TYPE, "errorDetails": only.detail()})
    details = [{"code": one.code, "message": one.message, "detail": one.detail()} for one in failures]
    body = plain_error("MULTIPLE_VALIDATIONS_FAILED")
    return Refused(422, body | {"errorDetailType": SEVERAL_TYPE, "errorDetails": {"details": details}})


def gateway(status: int, message: str, code: str | None = None, service_code: int | None = None) -> Refused:
    """Give a refusal by the framework in front of the resource: status, message, at times a code."""
    body: dict[str, Any] = {"status": status, "message": message}
    if code is not None:
        body["code"] = code
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    return Refused(status, body)


def bad_parameter(name: str) -> Refused:
    """Give the 400 for a query parameter or a path key that cannot be read."""
    return gateway(400, f"Parameter '{name}' is invalid", "ILLEGAL_ARGUMENT")
