"""What GitHub means by 403: a limit, whose wait it names or not, or a plain no."""

from __future__ import annotations

import pytest

from reconciler.forge.github import as_limit
from reconciler.platforms.response import Response

DATE = "Wed, 25 Nov 2026 09:00:00 GMT"
AT = 1795597200


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait"),
    [
        pytest.param(403, {"retry-after": "7"}, b"{}", "7", id="secondary-that-names-its-wait"),
        pytest.param(403, {}, b'{"message": "a secondary rate limit"}', "60", id="secondary-in-words"),
        pytest.param(
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(AT + 90)},
            b"{}",
            "90",
            id="primary",
        ),
        pytest.param(429, {}, b"{}", "60", id="429-without-a-wait"),
        pytest.param(403, {}, b'{"message": "Resource not accessible by integration"}', None, id="a-plain-no"),
        pytest.param(403, {"x-ratelimit-remaining": "17"}, b"{}", None, id="a-plain-no-with-calls-left"),
        pytest.param(404, {"retry-after": "7"}, b"{}", None, id="another-status"),
    ],
)
def test_limits(status: int, headers: dict[str, str], body: bytes, wait: str | None) -> None:
    meant = as_limit(Response(status, {"date": DATE, **headers}, body))
    if wait is None:
        assert meant.status == status
    else:
        assert (meant.status, meant.headers["retry-after"]) == (429, wait)
