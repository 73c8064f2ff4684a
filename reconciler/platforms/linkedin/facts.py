"""
LinkedIn's limits, enums, codes and paths, each once, with the place that states it.

Marks: "seed" is LinkedIn's own A/B Testing API page, "doc" another public page, "assumed" our reading where none says.
"""

from __future__ import annotations

from datetime import timedelta

PAGE = "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/experimentation/ab-testing/ab-testing"

COLLECTION = "/rest/adExperiments"
"""Path of the resource (seed)."""
ACCOUNT_PREFIX = "urn:li:sponsoredAccount:"
CAMPAIGN_PREFIX = "urn:li:sponsoredCampaign:"

# --- enums (seed) --------------------------------------------------------------------------------------------------

DEFAULT_AUTO_STOP = "AUTO_STOP_AT_END_DATE"
"""What an absent `autoStop` means (seed)."""
DEFAULT_INTENDED_STATE = "ACTIVE"
"""What is sent on create when the manifest does not say (the contract's default; LinkedIn documents none)."""
EXECUTION_STATES = ("PENDING", "RUNNING", "ON_HOLD", "STOPPED", "ENDED")
STARTED = frozenset({"RUNNING", "ON_HOLD", "STOPPED"})
"""The states between start and end: the experiment has a life, and can be cancelled but not deleted."""

# --- limits --------------------------------------------------------------------------------------------------------

CELLS = 2
"""Cells of an experiment, exactly (seed)."""
NAME_MAX = 100
"""Characters of an experiment's name: "must not be more than 100" (seed)."""
DESCRIPTION_MAX = 1000
"""Characters of an experiment's description: "must not be more than 1000" (seed)."""
CELL_NAME_MAX = 99
"""Characters of a cell's name: "must be less than 100" (seed)."""
CELL_DESCRIPTION_MAX = 499
"""Characters of a cell's description: "must be less than 500" (seed)."""
CONFIDENCE_MIN, CONFIDENCE_MAX = 51, 99
"""Percent (seed)."""
CONFIDENCE_ADVISED = 90
"""Percent (seed, best practices)."""
WEIGHT_MIN, WEIGHT_MAX, WEIGHT_SUM = 1, 99, 100
"""Percent (seed)."""
RUN_MAX = timedelta(days=90)
"""Longest run, end minus start, inclusive; also the age at which LinkedIn ends an experiment (seed)."""
END_HORIZON = timedelta(days=180)
"""How far ahead of the write an end may lie (seed)."""
RUN_ADVISED = timedelta(days=21)
"""AB_TEST_DURATION_BELOW_RECOMMENDATION: at least 3 weeks (seed)."""
RUN_REQUIRED = timedelta(days=14)
"""AB_TEST_DURATION_BELOW_REQUIREMENT: the page gives no number; LinkedIn's help centre says 14 days (doc)."""
SECONDS_BELOW = 10**11
"""Epoch milliseconds below this are seconds by mistake (assumed; it is March 1973 in milliseconds)."""
LENGTH_DOUBT = 0.95
"""Share of a length limit above which text outside ASCII gets a warning: the unit of length is not stated (assumed)."""

BATCH_MAX = 100
"""Ids of one batch get (assumed: no cap is documented; 100 keeps the query well below 4 KB)."""
PAGE_SIZE = 100
"""`count` of the finder (assumed: no cap is documented here)."""
QUERY_MAX = 4000
"""Characters of a query string: 4 KB is LinkedIn's limit (doc)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- codes of the validation table (seed) --------------------------------------------------------------------------

VALIDATION_ERRORS = _words(
    """
    AB_TEST_DURATION_BELOW_REQUIREMENT ACCOUNT_ALREADY_RUNNING_BRAND_LIFT_TEST ACCOUNT_NOT_FOUND ACCOUNT_NOT_SERVABLE
    ACCOUNT_TOTAL_BUDGET_BELOW_AB_TEST_BUDGET CAMPAIGN_ALREADY_SCHEDULED CAMPAIGN_AUDIENCE_SIZE_BELOW_REQUIREMENT
    CAMPAIGN_BID_MUST_BE_GREATER_THAN_MINIMUM CAMPAIGN_GROUP_DYNAMIC_BUDGET_OPTIMIZATION_MUST_BE_DISABLED
    CAMPAIGN_GROUP_TOTAL_BUDGET_BELOW_AB_TEST_BUDGET CAMPAIGN_GROUPS_DIFFERENT CAMPAIGN_NOT_FOUND CAMPAIGN_NOT_SERVABLE
    CAMPAIGNS_FROM_DIFFERENT_ACCOUNT CREATIVE_NOT_SERVABLE DUPLICATE_ELEMENTS_IN_CELLS INVALID_CONFIDENCE_VALUE
    INVALID_END_TIME INVALID_KEY_METRIC INVALID_NO_OF_CELLS INVALID_SCHEDULE INVALID_START_TIME
    INVALID_STATE_TRANSITION INVALID_SUM_OF_WEIGHT_OF_CELLS INVALID_WEIGHT_OF_CELL NO_ACTIVE_CREATIVES SCHEMA_MISMATCH
    SET_OR_UPDATE_NOT_ALLOWED
    """
)
VALIDATION_WARNINGS = _words(
    """
    AB_TEST_BUDGET_BELOW_RECOMMENDATION AB_TEST_CANCELED AB_TEST_DURATION_BELOW_RECOMMENDATION AB_TEST_PAUSED
    ACCOUNT_ON_HOLD ACCOUNT_TOTAL_BUDGET_ENDS_TOO_SOON BUDGET_AND_CELL_WEIGHT_NOT_PROPORTIONAL
    CAMPAIGN_AUDIENCE_EXPANSION_ENABLED CAMPAIGN_AUDIENCE_SIZE_BELOW_RECOMMENDATION CAMPAIGN_DIFFERENT_TARGETING
    CAMPAIGN_FINISHES_TOO_EARLY CAMPAIGN_GROUP_SCHEDULE_ENDS_TOO_SOON CAMPAIGN_ON_HOLD CAMPAIGN_STARTS_TOO_EARLY
    CAMPAIGN_STARTS_TOO_LATE CREATIVE_ON_HOLD SOME_CREATIVES_IN_DRAFT
    """
)
