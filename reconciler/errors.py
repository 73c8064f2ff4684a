"""
Every error that a user can cause or meet, in one tree. `cli` catches `ReconcilerError` alone; anything else is a bug.

    ReconcilerError
    ├── InvalidInput          manifests or the project file are wrong; carries every diagnostic of the run
    ├── UsageProblem          the command line asks for something that does not exist or does not go together
    ├── StateProblem
    │   ├── StateUnreadable   the state file or its journal is not what was written
    │   ├── StateConflict     somebody else saved a newer state
    │   └── Locked            another run holds the lock; names its owner and age
    ├── PlanProblem
    │   ├── PlanUnreadable    a saved plan is not one, or is of another format version
    │   └── StalePlan         a saved plan no longer fits what is there
    └── PlatformError         a platform could not be asked, or said no; carries the connection, status and request id
        ├── NotSent           the request never reached the platform: nothing happened there
        ├── Unclear           the request may or may not have been carried out: search before sending again
        ├── Unauthorized      credentials are missing, wrong or expired
        ├── Refused           the platform said no, in its own words
        │   └── NotFound      the platform says that it does not know the resource
        ├── LimitReached      a rate limit or quota whose wait is longer than allowed
        └── BadAnswer         the answer is not what the platform's pages describe (HTML, cut JSON, wrong shape)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.diagnostic import Diagnostic


class ReconcilerError(Exception):
    """Something a person can understand and act on: a message of where, what and what to do, and an exit code."""

    exit_code = 1


class InvalidInput(ReconcilerError):
    """Manifests or the project file are wrong; `diagnostics` holds everything found in the run, not the first."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(f"{len(self.diagnostics)} problem(s) found")


class UsageProblem(ReconcilerError):
    """The command line asks for something that does not exist or does not go together."""


class StateProblem(ReconcilerError):
    """The record of what is managed cannot be used as it is."""


class StateUnreadable(StateProblem):
    """The state file or its journal is not what was written."""


class StateConflict(StateProblem):
    """Somebody else saved a newer state since this one was read."""


class Locked(StateProblem):
    """Another run holds the lock."""


class PlanProblem(ReconcilerError):
    """A plan cannot be made or used."""


class PlanUnreadable(PlanProblem):
    """A saved plan is not one, or is of another format version."""


class StalePlan(PlanProblem):
    """A saved plan no longer fits what is there."""


class PlatformError(ReconcilerError):
    """
    A platform could not be asked, or said no.

    `status` is the HTTP status where there was an answer, `code` the platform's own code, `request_id` what its
    support asks for, `connection` the name of the connection in the project file.
    """

    def __init__(
        self,
        message: str,
        *,
        connection: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.connection = connection
        self.status = status
        self.code = code
        self.request_id = request_id


class NotSent(PlatformError):
    """The request never reached the platform: nothing happened there."""


class Unclear(PlatformError):
    """The request may or may not have been carried out: search before sending again."""


class Unauthorized(PlatformError):
    """Credentials are missing, wrong, expired, or lack a role."""


class Refused(PlatformError):
    """The platform said no, in its own words."""


class NotFound(Refused):
    """The platform says that it does not know the resource."""


class LimitReached(PlatformError):
    """A rate limit or quota whose wait is longer than the run may wait."""


class BadAnswer(PlatformError):
    """The answer is not what the platform's pages describe."""
