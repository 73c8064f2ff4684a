"""
The numbers and words of Salesforce Personalization's `abn-experiments` resource, each with where it is stated.

Marks: seed is the page "Personalization Experiment Update"; doc is another page of Salesforce (D6 Experiment Input, D7
Cohort Input, D11 to D16 enums and the AbnExperiment object, D18 field reference, D24 limits, D25 Flow paths);
assumed is documented nowhere, and the reading is the careful one.
"""

from __future__ import annotations

from typing import Final

DEFAULT_API_VERSION: Final = "65.0"
RESOURCE: Final = "personalization/abn-experiments"

# --- enums ---------------------------------------------------------------------------------------------------------

STATES: Final = ("Created", "Started", "Stopped", "Archived")  # doc D11 D16
BUSY_STATUSES: Final = frozenset({"Processing", "Deleting"})  # doc D12 D16
FAILED_STATUSES: Final = frozenset({"CreateError", "EditError", "DeleteError"})  # doc D12 D16
CREATE_ERROR: Final = "CreateError"
SOURCES: Final = ("PersonalizationApp", "ExperienceBuilder", "BlockBuilder", "FlowBuilder", "Agentforce")  # doc D13
WINNER_MODES: Final = ("Automatic", "Manual")  # doc D14
DEFAULT_WINNER_MODE: Final = "Manual"  # doc D16
ATTRIBUTE_ENUMS: Final = ("Variation", "FlowPath")  # doc D15
METRIC_TYPES: Final = ("EngagementSignal", "EngagementSignalCompound")  # seed; there may be more
SCHEMA_ENUMS: Final = ("DecisionDefined", "ExperienceVariation", "FlowPath")  # doc D16
DEFAULT_DATA_SPACE: Final = "default"  # doc D6, in samples

# --- limits --------------------------------------------------------------------------------------------------------

NAME_MAX: Final = 40  # characters; doc D18
TEXT_MAX: Final = 255  # label, description; doc D6 D18
COHORT_NAME_MAX: Final = 80  # doc D18
ATTRIBUTE_VALUE_MAX: Final = 20_000  # characters; doc D40 for the sibling resource, assumed here
COHORTS: Final = (2, 10)  # 10 paths in Flow, doc D25; assumed elsewhere
WEIGHT_SUM: Final = 10_000  # basis points; doc D7 D19
PARTICIPANTS: Final = (300, 5000)  # doc D6
CHANCE_TO_WIN: Final = (85, 100)  # doc D6
CHANCE_TO_WIN_DECIMALS: Final = 2  # doc D18
DURATION_MINUTES: Final = (60, 129_600)  # doc D6
FREQUENCY_MINUTES: Final = (30, 1440)  # doc D6
CRITERIA_CONDITIONS_MAX: Final = 50  # doc D24
PARALLEL_REQUESTS: Final = 4  # assumed


def bare(name: str, data_space: object) -> str:
    """
    Give a name without its data-space prefix: `myDs_exp` in the data space `myDs` is `exp`.

    The platform's samples show names with and without it (doc D3); in the data space `default` there is no prefix.
    """
    if isinstance(data_space, str) and data_space and data_space != DEFAULT_DATA_SPACE:
        stripped = name.removeprefix(f"{data_space}_")
        return stripped or name
    return name
