"""Record ids as the platform writes them: 15 case-sensitive characters and a 3-character suffix telling the case."""

from __future__ import annotations

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

EXPERIMENT_PREFIX = "1Ga"
COHORT_PREFIX = "1Gc"


def base62(number: int) -> str:
    """Give a non-negative number in base 62, digits before capitals before small letters."""
    if number < 0:
        raise ValueError("a record number is not negative")
    text = ""
    while number or not text:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text


def with_suffix(short: str) -> str:
    """
    Give the 18-character form of a 15-character id.

    Each suffix character tells which of five characters are capitals, the first of the five being the lowest bit.
    Raises ValueError when `short` is not 15 characters long.
    """
    if len(short) != 15:
        raise ValueError(f"a short record id has 15 characters, this has {len(short)}")
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")
        suffix += _SUFFIX[bits]
    return short + suffix


def record_id(prefix: str, number: int) -> str:
    """Give the 18-character id of record `number` of the object whose ids begin with `prefix` (3 characters)."""
    return with_suffix(f"{prefix}SB0{base62(number).rjust(9, '0')}")


def same_record(given: str, stored: str) -> bool:
    """Tell whether `given`, in its 15- or 18-character form, names the record `stored` (18 characters)."""
    return given == stored or (len(given) == 15 and given == stored[:15])
