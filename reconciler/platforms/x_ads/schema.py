"""The shape of an `XAdsABTest` manifest's `spec`; the JSON Schema that editors use is made from it."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.model.time import parse_time
from reconciler.platforms.x_ads.facts import (
    DESCRIPTION_LENGTH,
    FIELDS,
    MAX_GROUPS,
    MAX_SIZE,
    MIN_GROUPS,
    MIN_SIZE,
    NAME_LENGTH,
)

_ID = re.compile(r"[^\s,/]+")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_FRACTION = re.compile(r"[.,][0-9]*[1-9]")
_SIZE_PATTERN = r"^(?:(?:[1-9]|[1-8][0-9]|9[0-8])(?:\.[0-9]{1,2})?|99(?:\.0{1,2})?)$"
_ROWS = {row.path: row for row in FIELDS}


def size_text(value: Any) -> str:
    """
    Give a size as text with two decimals; takes a number or text, a float by its shortest spelling.

    Raises PydanticCustomError for booleans, other types, more than two decimals, and anything outside 1.00 to 99.00.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _problem("size_type", f"a size is a number or a string, such as 50 or '33.33', not {_shown(value)}")
    text = str(value)
    if (isinstance(value, float) and not math.isfinite(value)) or not _DECIMAL.fullmatch(text):
        raise _problem("size_format", f"a size is a decimal number such as 50 or 33.33, not {_shown(value)}")
    if len(text.partition(".")[2]) > 2:
        raise _problem("size_decimals", f"a size has at most two decimals, not {_shown(value)}")
    if len(text) > 1 and text[0] == "0" and text[1] != ".":
        raise _problem("size_format", f"a size has no leading zeros, not {_shown(value)}")
    size = Decimal(text)
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise _problem("size_range", f"a size is from {MIN_SIZE} to {MAX_SIZE}, not {_shown(value)}")
    return f"{size:.2f}"


def _time_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise _problem("time_type", f"a time is text such as 2026-12-01T09:00:00Z, not {_shown(value)}")
    try:
        parse_time(value)
    except ValueError as error:
        raise _problem("time_format", str(error)) from None
    if _FRACTION.search(value):
        raise _problem("time_fraction", f"X times are whole seconds; leave out the fraction of {value!r}")
    return value


def _id_text(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise _problem("id_type", f"an id is text; put it in quotes, so that {value!r} is not read as a number")
    if isinstance(value, str) and not _ID.fullmatch(value):
        raise _problem("id_format", f"an id is not empty and has no blanks, commas or slashes, not {value!r}")
    return value


def _filled(value: Any) -> Any:
    if value == "":
        raise _problem("text_empty", "text is not empty; write null to clear it, or leave the key out")
    return value


def _problem(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)


def _about(path: str) -> str:
    row = _ROWS[path]
    return f"{row.meaning} {row.limits[:1].upper()}{row.limits[1:]}." if row.limits else row.meaning


Time = Annotated[
    str, BeforeValidator(_time_text), WithJsonSchema({"type": "string", "format": "date-time", "minLength": 1})
]
Id = Annotated[
    str, BeforeValidator(_id_text), WithJsonSchema({"type": "string", "minLength": 1, "pattern": f"^{_ID.pattern}$"})
]
Size = Annotated[
    str,
    BeforeValidator(size_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": float(MIN_SIZE), "maximum": float(MAX_SIZE)},
                {"type": "string", "pattern": _SIZE_PATTERN},
            ]
        }
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), BeforeValidator(_filled)]
Description = Annotated[str, Field(min_length=1, max_length=DESCRIPTION_LENGTH), BeforeValidator(_filled)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class UserGroup(_Strict):
    """One group of people and what it sees."""

    entity_ids: list[Id] = Field(min_length=1, description=_about("user_groups[].entity_ids"))
    size: Size = Field(description=_about("user_groups[].size"))
    name: Name | None = Field(default=None, description=_about("user_groups[].name"))
    description: Description | None = Field(default=None, description=_about("user_groups[].description"))


class ABTestSpec(_Strict):
    """An A/B test of X Ads."""

    account_id: Id = Field(description=_about("account_id"))
    entity_type: Literal["CAMPAIGN", "LINE_ITEM"] = Field(description=_about("entity_type"))
    start_time: Time = Field(description=_about("start_time"))
    end_time: Time = Field(description=_about("end_time"))
    user_groups: list[UserGroup] = Field(
        min_length=MIN_GROUPS, max_length=MAX_GROUPS, description=_about("user_groups[]")
    )
    name: Name | None = Field(default=None, description=_about("name"))
    description: Description | None = Field(default=None, description=_about("description"))
