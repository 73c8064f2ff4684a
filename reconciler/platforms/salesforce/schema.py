"""The shape of a `SalesforceExperiment`'s `spec`: types and keys only; limits between and within fields are rules."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

Source: TypeAlias = Literal["PersonalizationApp", "ExperienceBuilder", "BlockBuilder", "FlowBuilder", "Agentforce"]
SchemaEnum: TypeAlias = Literal["DecisionDefined", "ExperienceVariation", "FlowPath"]
AttributeEnum: TypeAlias = Literal["Variation", "FlowPath"]
WinnerSelectionMode: TypeAlias = Literal["Automatic", "Manual"]
State: TypeAlias = Literal["Created", "Started", "Stopped", "Archived"]


def _quoted(value: Any) -> Any:
    """Refuse what is not text with the advice to quote it: attribute and parameter values are always text (seed)."""
    if isinstance(value, bool | int | float):
        raise PydanticCustomError("string_type", "Salesforce takes text here: quote it")
    return value


def parse_criteria(text: str) -> dict[str, Any]:
    """Read targeting rules written as JSON text; raises ValueError when it is not a JSON object."""
    value = json.loads(text, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("the JSON text has to be an object")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_finite(item) for item in value.values())
    if isinstance(value, list):
        return all(_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _criteria(value: Any) -> Any:
    if isinstance(value, str):
        try:
            parse_criteria(value)
        except (ValueError, RecursionError) as error:
            raise PydanticCustomError("criteria_json", "not a JSON object: {why}", {"why": str(error)}) from None
    elif value is not None and not isinstance(value, dict):
        raise PydanticCustomError("criteria_json", "should be a mapping, or a JSON object as text")
    elif not _finite(value):
        raise PydanticCustomError("criteria_json", "holds a number that JSON does not have (infinite or NaN)")
    return value


QuotedText: TypeAlias = Annotated[str, BeforeValidator(_quoted)]
Criteria: TypeAlias = Annotated[
    JsonValue,
    AfterValidator(_criteria),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "string"}, {"type": "null"}]}),
]


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _optional(description: str) -> Any:
    """Give a key that may be left out: it has no default, because what is not stated is left to the platform."""
    return Field(default=None, description=description, json_schema_extra=_no_default)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class AttributeValue(_Model):
    """What the people of a cohort get for one attribute: exactly one of `attributeName` and `attributeEnum`."""

    attributeName: str | None = _optional("Attribute of a custom content schema.")
    attributeEnum: AttributeEnum | None = _optional("Attribute of a standard schema.")
    value: QuotedText = Field(description="The value, always text: quote numbers. At most 20000 characters.")


class Cohort(_Model):
    """A group that people are assigned to."""

    name: str = Field(description="Name of the cohort, unique in the experiment; at most 80 characters.")
    label: str = Field(description="Name as people see it; at most 255 characters.")
    description: str | None = _optional("At most 255 characters; null clears it.")
    isControl: bool = Field(description="Whether this is the control; exactly one cohort is.")
    isFallThrough: bool = _optional("The control's people get the point's own decisions.")
    allocationWeight: int = _optional(
        "Share in basis points, 0 to 10000, all together 10000. The control's may be left out."
    )
    personalizerName: str | None = _optional("API name of the recommender; null clears it.")
    attributeValues: list[AttributeValue] | None = _optional("What the cohort's people get.")


class SecondaryMetric(_Model):
    """A metric that is watched beside the primary ones."""

    metricType: str = Field(description="EngagementSignal or EngagementSignalCompound.")
    metricName: str = Field(description="Developer name of the metric.")
    engagementSignalName: str | None = _optional("The signal that owns the metric.")
    higherIsBetter: bool = _optional("Whether more of it is better.")


class PrimaryMetric(SecondaryMetric):
    """A metric that decides the winner."""

    overallScoreWeight: int = _optional("Share of the score in basis points, all together 10000.")


class Parameter(_Model):
    """A parameter of an engagement signal."""

    engagementSignalName: str = Field(description="The signal that has the parameter.")
    parameterName: str = Field(description="Name of the parameter.")
    values: list[QuotedText] = Field(description="Its values, always text: order and repetitions count.")


class SalesforceExperimentSpec(_Model):
    """A Salesforce Personalization experiment (`abn-experiments`, from API version 65.0)."""

    name: str = Field(description="API name: 1 to 40 letters, digits and _. It cannot be changed later.")
    label: str = Field(description="Name as people see it; at most 255 characters.")
    description: str | None = _optional("At most 255 characters; null clears it.")
    dataSpaceName: str = Field(description="API name of the data space, such as default.")
    profileDataGraphName: str | None = _optional("Needed when a cohort names a personalizer.")
    schemaName: str | None = _optional("API name of the content schema; this or schemaEnum.")
    schemaEnum: SchemaEnum | None = _optional("Standard schema; this or schemaName.")
    source: Source = Field(description="Where the experiment is made from.")
    sourceRecordId: str | None = _optional("The record that the experiment belongs to.")
    cohorts: list[Cohort] = Field(description="2 to 10 cohorts, exactly one of them the control.")
    primaryMetrics: list[PrimaryMetric] | None = _optional("The metrics that decide the winner.")
    secondaryMetrics: list[SecondaryMetric] | None = _optional("Metrics that are watched.")
    criteria: Criteria = _optional("Targeting rules: a mapping, or the same as JSON text.")
    minimumRequiredParticipants: int = _optional("300 to 5000; without effect in Manual mode.")
    chanceToWinThreshold: float = _optional("85 to 100, at most two decimals.")
    minimumDurationInMinutes: int = _optional("60 to 129600; without effect in Manual mode.")
    maximumDurationInMinutes: int = _optional("minimumDurationInMinutes to 129600; without effect in Manual mode.")
    winnerSelectionMode: WinnerSelectionMode = _optional("Whether Salesforce picks the winner.")
    scheduleFrequencyInMinutes: int = _optional("Minutes between two analyses, 30 to 1440.")
    parameters: list[Parameter] | None = _optional("Parameters of engagement signals.")
    state: State = _optional("The state wanted; left out, the state is left alone.")
