"""JSON from outside read step by step: every access says where it went wrong. For saved plans and drift reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from reconciler.errors import PlanUnreadable
from reconciler.model.time import parse_time

E = TypeVar("E", bound=StrEnum)


class Reader:
    """A JSON value and the path to it; every access says where it went wrong."""

    def __init__(self, value: Any, path: str) -> None:
        self.value = value
        self.path = path

    def fail(self, what: str) -> PlanUnreadable:
        return PlanUnreadable(f"{self.path or 'the whole'} {what}")

    def get(self, key: str) -> Reader:
        if not isinstance(self.value, Mapping):
            raise self.fail("is not an object")
        return Reader(self.value.get(key), f"{self.path}.{key}" if self.path else key)

    def items(self) -> list[Reader]:
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.fail("is not a list")
        return [Reader(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.fail("is not text")
        return self.value

    def optional(self) -> str | None:
        return None if self.value is None else self.text()

    def flag(self, default: bool) -> bool:
        if self.value is None:
            return default
        if not isinstance(self.value, bool):
            raise self.fail("is neither true nor false")
        return self.value

    def number(self) -> int:
        if self.value is None:
            return 0
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self.fail("is not a number from 0 up")
        return self.value

    def mapping(self) -> dict[str, Any]:
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.fail("is not an object")
        return self.value

    def word(self, words: type[E]) -> E:
        try:
            return words(self.text())
        except ValueError:
            raise self.fail(f"is not one of {', '.join(word.value for word in words)}") from None

    def parsed(self, read: Callable[[str], Any]) -> Any:
        try:
            return read(self.text())
        except ValueError as error:
            raise self.fail(f"is wrong: {error}") from None

    def moment(self) -> datetime | None:
        return None if self.value is None else self.parsed(parse_time)
