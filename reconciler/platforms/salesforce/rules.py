"""The rules of Salesforce experiments past the schema, as data; `checks` applies them. Pages last read 2026-11-22."""

from __future__ import annotations

from typing import Final

from reconciler.model.diagnostic import Rule, Severity

NAME_CHARACTERS: Final = Rule(
    "SFP001",
    "the API name has letters, digits and _ only",
    "doc D6 (API name); characters assumed",
    "use letters, digits and underscores, such as spring_offer_test",
)
TOO_LONG: Final = Rule("SFP002", "text is not longer than Salesforce stores", "doc D6 D18", "shorten the text")
EMPTY: Final = Rule("SFP003", "required text is not empty", "doc D6 D7 D8", "write what it is called")
ONE_SCHEMA: Final = Rule(
    "SFP004",
    "exactly one of schemaName and schemaEnum is given",
    "doc D6 (schemaName), D3 (schemaEnum); alternative assumed",
    "keep one of schemaName and schemaEnum",
)
SCHEMA_SPACE: Final = Rule(
    "SFP005",
    "a data-space prefix of schemaName agrees with dataSpaceName",
    "doc D6 D9",
    "when the name carries a data-space prefix, use that of dataSpaceName",
    Severity.WARNING,
)
COHORT_COUNT: Final = Rule(
    "SFP006",
    "an experiment has 2 to 10 cohorts",
    "doc D25 (10 paths in Flow); assumed elsewhere",
    "add or remove cohorts",
)
COHORT_NAMES: Final = Rule(
    "SFP007", "cohort names are unique in an experiment", "doc D7", "give each cohort a name of its own"
)
ONE_CONTROL: Final = Rule(
    "SFP008",
    "exactly one cohort is the control",
    "doc D21 D23; at least one assumed",
    "set isControl: true on one cohort",
)
FALL_THROUGH: Final = Rule(
    "SFP009", "only the control falls through", "doc D7 D22", "set isFallThrough on the control, or not at all"
)
WEIGHT: Final = Rule(
    "SFP010",
    "a weight is 0 to 10000 basis points; only the control's may be left out",
    "doc D7 D19 D23",
    "write the share in basis points: half is 5000",
)
WEIGHT_SUM: Final = Rule(
    "SFP011", "the weights of the cohorts add up to 10000", "doc D7 D19", "make the weights add up to 10000"
)
ATTRIBUTE_KEY: Final = Rule(
    "SFP012",
    "an attribute value has exactly one of attributeName and attributeEnum",
    "doc D40 for the sibling resource; assumed here",
    "keep one of attributeName and attributeEnum",
)
ATTRIBUTE_UNIQUE: Final = Rule(
    "SFP013",
    "an attribute has one value in a cohort",
    "doc D40 for the sibling resource; assumed here",
    "remove the second value",
)
PERSONALIZER_GRAPH: Final = Rule(
    "SFP014",
    "cohorts with a personalizer need a profile data graph",
    "doc D20",
    "state profileDataGraphName",
    Severity.WARNING,
)
FALL_THROUGH_IGNORES: Final = Rule(
    "SFP015",
    "a fall-through cohort's attributeValues and personalizerName have no effect",
    "doc D7",
    "leave them out, or leave out isFallThrough",
    Severity.WARNING,
)
METRIC_UNIQUE: Final = Rule(
    "SFP016",
    "a metric stands once in its list",
    "keys assumed from seed and doc D8",
    "remove the second one",
)
METRIC_WEIGHT: Final = Rule(
    "SFP017",
    "the weights of the primary metrics add up to 10000",
    "seed; sum assumed",
    "make overallScoreWeight add up to 10000 over all primary metrics",
)
METRIC_TYPE: Final = Rule(
    "SFP018",
    "the metric type is a known one",
    "seed, doc D16; there may be more",
    "check the spelling: EngagementSignal or EngagementSignalCompound",
    Severity.WARNING,
)
PARAMETER_UNIQUE: Final = Rule(
    "SFP019",
    "a parameter stands once in its list",
    "seed; uniqueness assumed",
    "put all values into one entry",
)
CHANCE_TO_WIN: Final = Rule(
    "SFP020",
    "chanceToWinThreshold is 85 to 100 with at most two decimals",
    "doc D6 D18",
    "write percent, such as 95 or 97.5",
)
PARTICIPANTS: Final = Rule(
    "SFP021", "minimumRequiredParticipants is 300 to 5000", "doc D6", "use a number from 300 to 5000"
)
DURATION: Final = Rule(
    "SFP022",
    "durations are 60 to 129600 minutes (90 days)",
    "doc D6",
    "use minutes: a day is 1440, two weeks are 20160",
)
DURATION_ORDER: Final = Rule(
    "SFP023",
    "maximumDurationInMinutes is not less than minimumDurationInMinutes",
    "doc D6",
    "raise the maximum or lower the minimum",
)
FREQUENCY: Final = Rule(
    "SFP024", "scheduleFrequencyInMinutes is 30 to 1440", "doc D6", "use minutes: an hour is 60, a day is 1440"
)
CRITERIA: Final = Rule("SFP025", "targeting has at most 50 conditions", "doc D24", "use fewer conditions")
SAME_NAME: Final = Rule(
    "SFP026",
    "an API name belongs to one experiment of an org",
    "doc D1 (read by name); scope assumed",
    "give one of the two another name",
)

RULES: Final[tuple[Rule, ...]] = (
    NAME_CHARACTERS,
    TOO_LONG,
    EMPTY,
    ONE_SCHEMA,
    SCHEMA_SPACE,
    COHORT_COUNT,
    COHORT_NAMES,
    ONE_CONTROL,
    FALL_THROUGH,
    WEIGHT,
    WEIGHT_SUM,
    ATTRIBUTE_KEY,
    ATTRIBUTE_UNIQUE,
    PERSONALIZER_GRAPH,
    FALL_THROUGH_IGNORES,
    METRIC_UNIQUE,
    METRIC_WEIGHT,
    METRIC_TYPE,
    PARAMETER_UNIQUE,
    CHANCE_TO_WIN,
    PARTICIPANTS,
    DURATION,
    DURATION_ORDER,
    FREQUENCY,
    CRITERIA,
    SAME_NAME,
)
