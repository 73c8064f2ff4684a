"""What a platform answered, read with care: JSON that is what it says, errors that name the call and hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from reconciler.errors import BadAnswer, PlatformError
from reconciler.model.strict_json import strict_json
from reconciler.platforms.redact import Redactor

E = TypeVar("E", bound=PlatformError)

# Where the platforms put the id that their support asks for. LinkedIn: linkedin.md 10.2 (doc D22); the others are the
# names in common use (assumed).
REQUEST_ID_HEADERS = (
    "x-li-uuid",
    "x-li-request-id",
    "x-request-id",
    "x-transaction-id",
    "x-transaction",
    "sfdc-request-id",
    "x-sfdc-request-id",
)


MOST_PAGES = 10_000
"""A list of more pages than this is one that a broken or hostile server makes up as it goes."""


@dataclass(frozen=True)
class Response:
    """
    One answer. `headers` has lower-case names; `body` is decompressed; `path` is that of the call, without the query.

    `request_id` is what the platform's support asks for, where it was sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str = ""
    connection: str = ""
    method: str = ""
    path: str = ""
    redact: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    @property
    def excerpt(self) -> str:
        """The beginning of the body, fit to show: at most 200 characters, escaped, secrets masked."""
        return self.redact.excerpt(self.body)

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower case; empty when none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page: a gateway's or a login's, no answer of the platform's own."""
        begins = self.body.lstrip()[:1]
        return begins == b"<" or (self.content_type == "text/html" and begins != b"")

    def json(self) -> Any:
        """
        Give the body as JSON values.

        Raises BadAnswer for anything that is not exactly that: HTML, a cut or empty body, a key that stands twice in
        one object, NaN, infinities, half a surrogate pair, numbers or nesting beyond what can be represented.
        """
        try:
            return strict_json(self.body.decode("utf-8-sig"))
        except ValueError as error:
            raise self.bad_answer(self._why_not(error)) from None

    def _why_not(self, error: Exception) -> str:
        if not self.body.strip():
            return "the body is empty where JSON was expected"
        if self.is_page:
            return "the body is a web page where JSON was expected"
        return f"the body is not the JSON expected ({self.redact.excerpt(str(error), 120)})"

    def check_page(self, number: int) -> None:
        """Raise BadAnswer when a list has gone on for more pages than any real one has; `number` counts from 1."""
        if number > MOST_PAGES:
            raise self.bad_answer(f"the list does not end: {MOST_PAGES:,} pages were read")

    def bad_answer(self, words: str) -> BadAnswer:
        """Give a BadAnswer that names the call, the status, the content type and shows the body's beginning."""
        kind = self.redact.excerpt(self.content_type, 60) or "none"
        shown = f': "{self.excerpt}"' if self.body else ""
        return self.error(BadAnswer, f"{words}; content type {kind}{shown}")

    def error(self, kind: type[E], words: str, *, code: str = "") -> E:
        """
        Give an error of a kind, about this call: connection, method, path, status, request id, then `words`.

        `words` and `code` may quote the platform; both are masked and escaped here (`words` up to 1,000 characters).
        """
        request = f", request id {self.request_id}" if self.request_id else ""
        about = f"{self.connection}: {self.method} {self.redact.excerpt(self.path, 300)}"
        return kind(
            f"{about}: HTTP {self.status}{request}: {self.redact.excerpt(words, 1000)}",
            connection=self.connection,
            status=self.status,
            code=self.redact.excerpt(code, 100),
            request_id=self.request_id,
        )
