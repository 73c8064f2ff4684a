"""Refusals in the platform's error envelope: a status and all problems found, not only the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_UNSET = object()


@dataclass(frozen=True)
class Problem:
    """One entry of `errors`: `code` and `message` always, the extras only where they say something."""

    code: str
    message: str
    parameter: str | None = None
    details: str | None = None
    value: Any = _UNSET

    def shown(self) -> dict[str, Any]:
        """Give the entry as the JSON object the platform sends."""
        entry: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.parameter is not None:
            entry["parameter"] = self.parameter
        if self.details is not None:
            entry["details"] = self.details
        if self.value is not _UNSET:
            entry["value"] = self.value
        return entry


class Refusal(Exception):
    """A request that is answered with `status` and `problems` instead of data."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.status = status
        self.problems = problems


def refusal(status: int, code: str, message: str, **extras: Any) -> Refusal:
    """Give a refusal with a single problem."""
    return Refusal(status, Problem(code, message, **extras))


@dataclass
class Findings:
    """The problems found in one request so far, kept together so that one answer can name them all."""

    problems: list[Problem] = field(default_factory=list)

    def invalid(self, parameter: str, message: str, value: Any = _UNSET, details: str | None = None) -> None:
        """Note that the value of `parameter` is not acceptable."""
        self.problems.append(Problem("INVALID_PARAMETER", message, parameter, details, value))

    def missing(self, parameter: str) -> None:
        """Note that the required `parameter` is not there."""
        message = f'The "{parameter}" parameter is required'
        self.problems.append(Problem("MISSING_PARAMETER", message, parameter))

    def exclusive(self, first: str, second: str) -> None:
        """Note two parameters that exclude each other."""
        message = f'Only one of "{first}" and "{second}" may be specified'
        self.problems.append(Problem("EXCLUSIVE_PARAMETERS", message, second))

    def settle(self) -> None:
        """Raise a 400 `Refusal` with everything noted; does nothing where nothing was."""
        if self.problems:
            raise Refusal(400, *self.problems)
