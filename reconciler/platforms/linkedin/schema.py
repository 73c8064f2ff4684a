"""
The shape of a LinkedIn experiment's `spec`, as a pydantic model: strict, frozen, unknown keys refused.

Limits of one value are checked here, so that one run reports them beside misspelt keys and wrong types; the type of
such an error is the id of its rule. Values come out canonical: times in UTC, full URNs, text in NFC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.model.diagnostic import Rule
from reconciler.platforms.linkedin import facts, rules
from reconciler.platforms.linkedin.fields import FIELDS
from reconciler.platforms.linkedin.values import account_urn, campaign_urn, canonical_text, canonical_time, epoch_ms

_ROWS = {row.path: row for row in FIELDS}


def _about(path: str) -> str:
    row = _ROWS[path]
    return f"{row.meaning} Limits: {row.limits}."


def _problem(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{reason}", {"reason": message})


def _reader(read: Callable[[Any], str], kind: str) -> BeforeValidator:
    def validate(value: Any) -> str:
        try:
            return read(value)
        except ValueError as error:
            raise _problem(kind, str(error)) from None

    return BeforeValidator(validate)


def _positive(text: str) -> str:
    if epoch_ms(text) <= 0:
        raise _problem(rules.START_POSITIVE.id, f"{text} is not after 1970-01-01T00:00:00Z")
    return text


def _length(rule: Rule, most: int, least: int = 0) -> AfterValidator:
    def validate(text: str) -> str:
        text = canonical_text(text)
        if not least <= len(text) <= most:
            allowed = f"{least} to {most}" if least else f"at most {most}"
            raise _problem(rule.id, f"the text has {len(text)} characters; LinkedIn allows {allowed}")
        return text

    return AfterValidator(validate)


def _range(rule: Rule, least: int, most: int) -> AfterValidator:
    def validate(number: int) -> int:
        if not least <= number <= most:
            raise _problem(rule.id, f"{number} is outside what LinkedIn allows: {least} to {most}")
        return number

    return AfterValidator(validate)


def _text_schema(most: int, least: int = 0) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": most} | ({"minLength": least} if least else {}))


def _urn_schema(prefix: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": f"^({prefix})?[1-9][0-9]*$",
            "minimum": 1,
            "examples": [f"{prefix}123"],
        }
    )


_TIME_SCHEMA = WithJsonSchema(
    {
        "type": ["string", "integer"],
        "pattern": r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?(:?\d\d)?)$",
        "minimum": facts.SECONDS_BELOW,
        "examples": ["2026-12-01T09:00:00Z"],
    }
)

Time: TypeAlias = Annotated[
    str, _reader(canonical_time, rules.MILLISECONDS.id), AfterValidator(_positive), _TIME_SCHEMA
]
Account: TypeAlias = Annotated[str, _reader(account_urn, "account_urn"), _urn_schema(facts.ACCOUNT_PREFIX)]
Campaign: TypeAlias = Annotated[str, _reader(campaign_urn, "campaign_urn"), _urn_schema(facts.CAMPAIGN_PREFIX)]
Name: TypeAlias = Annotated[str, _length(rules.NAME_LENGTH, facts.NAME_MAX, 1), _text_schema(facts.NAME_MAX, 1)]
Description: TypeAlias = Annotated[
    str, _length(rules.DESCRIPTION_LENGTH, facts.DESCRIPTION_MAX), _text_schema(facts.DESCRIPTION_MAX)
]
CellName: TypeAlias = Annotated[
    str, _length(rules.CELL_NAME_LENGTH, facts.CELL_NAME_MAX, 1), _text_schema(facts.CELL_NAME_MAX, 1)
]
CellDescription: TypeAlias = Annotated[
    str, _length(rules.CELL_DESCRIPTION_LENGTH, facts.CELL_DESCRIPTION_MAX), _text_schema(facts.CELL_DESCRIPTION_MAX)
]
Confidence: TypeAlias = Annotated[
    int,
    _range(rules.CONFIDENCE, facts.CONFIDENCE_MIN, facts.CONFIDENCE_MAX),
    WithJsonSchema({"type": "integer", "minimum": facts.CONFIDENCE_MIN, "maximum": facts.CONFIDENCE_MAX}),
]
Weight: TypeAlias = Annotated[
    int,
    _range(rules.WEIGHT, facts.WEIGHT_MIN, facts.WEIGHT_MAX),
    WithJsonSchema({"type": "integer", "minimum": facts.WEIGHT_MIN, "maximum": facts.WEIGHT_MAX}),
]
KeyMetric: TypeAlias = Literal["CPC", "CPM", "CPV", "CPMS"]
AutoStop: TypeAlias = Literal["AUTO_STOP_AT_END_DATE", "AUTO_STOP_AT_WINNER", "AUTO_STOP_DISABLED"]
IntendedState: TypeAlias = Literal["DRAFT", "ACTIVE", "PAUSED", "CANCELED"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Reference(_Strict):
    """The ads entity that a cell stands for."""

    campaign: Campaign = Field(description=_about("cells[].reference.campaign"))


class Cell(_Strict):
    """One side of the comparison."""

    name: CellName = Field(description=_about("cells[].name"))
    description: CellDescription | None = Field(default=None, description=_about("cells[].description"))
    trafficWeight: Weight = Field(description=_about("cells[].trafficWeight"))
    reference: Reference = Field(description="The campaign of this cell.")


def _two(cells: list[Cell]) -> list[Cell]:
    if len(cells) != facts.CELLS:
        raise _problem(rules.TWO_CELLS.id, f"there are {len(cells)} cells; an experiment has exactly {facts.CELLS}")
    return cells


class LinkedInSpec(_Strict):
    """What a manifest of kind LinkedInExperiment says of its experiment, in LinkedIn's own field names."""

    account: Account = Field(description=_about("account"))
    name: Name = Field(description=_about("name"))
    description: Description | None = Field(default=None, description=_about("description"))
    keyMetric: KeyMetric = Field(description=_about("keyMetric"))
    confidence: Confidence = Field(description=_about("confidence"))
    scheduledStartAt: Time = Field(description=_about("scheduledStartAt"))
    scheduledEndAt: Time = Field(description=_about("scheduledEndAt"))
    autoStop: AutoStop = Field(default="AUTO_STOP_AT_END_DATE", description=_about("autoStop"))
    userIntendedState: IntendedState = Field(default="ACTIVE", description=_about("userIntendedState"))
    cells: Annotated[list[Cell], AfterValidator(_two)] = Field(
        description=_about("cells[]"), json_schema_extra={"minItems": facts.CELLS, "maxItems": facts.CELLS}
    )
