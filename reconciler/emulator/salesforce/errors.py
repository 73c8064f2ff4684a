"""Refusals: a JSON array of `{errorCode, message, fields?}`, the form of every error of the data API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request; `fields` names the keys concerned."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the problem as an element of the error array."""
        shown: dict[str, Any] = {"errorCode": self.code, "message": self.message}
        if self.fields:
            shown["fields"] = list(self.fields)
        return shown


class Refused(Exception):
    """The platform does not do what was asked: an HTTP status and at least one problem."""

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.status = status
        self.problems = tuple(problems)


def refusal(status: int, code: str, message: str, *fields: str) -> Refused:
    """Give a refusal with one problem."""
    return Refused(status, [Problem(code, message, fields)])


def not_found(what: str = "The requested resource does not exist") -> Refused:
    """Give the 404 of a record, a path or an API version that is not there."""
    return refusal(404, "NOT_FOUND", what)
