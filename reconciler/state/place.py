"""Where a state is kept, as data: what the project file says, and the short form of the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import UsageProblem

BACKENDS = ("file", "git", "s3", "gcs", "azure")
KEYS: dict[str, frozenset[str]] = {
    "file": frozenset({"path"}),
    "git": frozenset({"remote", "ref", "lock_expires"}),
    "s3": frozenset({"bucket", "prefix", "region", "endpoint", "lock_expires"}),
    "gcs": frozenset({"bucket", "prefix", "lock_expires"}),
    "azure": frozenset({"bucket", "prefix", "account", "endpoint", "lock_expires"}),
}
"""What each backend takes in the project file, `backend` itself left out."""
SCHEMES = {"s3": "s3", "gs": "gcs", "az": "azure"}
DEFAULT_LOCK_S = 7200.0
_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_REMOTE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class Place:
    """
    Where the state is kept.

    `path` is absolute and counts for `file` alone. `name` is what the state is called where nothing else is stated:
    the environment, or `state`. `lock_expires_s` None: a lock never expires.
    """

    backend: str
    path: Path
    name: str = "state"
    remote: str = "origin"
    ref: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    account: str = ""
    lock_expires_s: float | None = DEFAULT_LOCK_S


def seconds_of(text: str) -> float | None:
    """Read `90s`, `30m`, `2h`, `1d`, or `never` (None); raises ValueError."""
    if text == "never":
        return None
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration; write it like 90s, 30m, 2h or 1d, or never")
    return int(found.group(1)) * _UNITS[found.group(2)]


def remote_problem(text: str) -> str | None:
    """Tell what is wrong with a git remote's name. An address is refused: credentials and trust go with the name."""
    if _REMOTE.fullmatch(text) and ".." not in text:
        return None
    return "is no name of a remote; add one with: git remote add NAME ADDRESS"


def ref_problem(text: str) -> str | None:
    """Tell what is wrong with a ref, by the rules of `git check-ref-format`."""
    parts = text.split("/")
    wrong = any(
        not re.fullmatch(r"[A-Za-z0-9_.-]+", part) or part.startswith((".", "-")) or part.endswith((".lock", "."))
        for part in parts
    )
    if wrong or len(parts) < 3 or parts[0] != "refs" or ".." in text:
        return "is no full name of a ref; write it like refs/reconciler/production"
    return None


def bucket_problem(text: str) -> str | None:
    """Tell what is wrong with the name of a bucket or container."""
    return None if _BUCKET.fullmatch(text) else "is no name of a bucket (lower-case letters, digits, dots, hyphens)"


def prefix_problem(text: str) -> str | None:
    """Tell what is wrong with the folder in a bucket."""
    fits = _PREFIX.fullmatch(text) and not any(part in (".", "..") for part in text.split("/"))
    return None if fits else "is no folder in a bucket; write it like team/experiments"


def place_of(text: str, base: Place, folder: Path) -> Place:
    """
    Read the short form of the command line: `file:PATH`, `git`, `git:REF`, `s3://BUCKET/PREFIX`, `gs://…`, `az://…`.

    What it does not say (remote, region, endpoint, when locks expire) is that of `base`. Raises UsageProblem.
    """
    scheme, colon, rest = text.partition(":")
    if scheme == "file" and colon and rest:
        return replace(base, backend="file", path=folder / rest)
    if scheme == "git" and (not colon or rest):
        problem = ref_problem(rest) if rest else None
        if problem:
            raise UsageProblem(f"{rest!r} {problem}")
        return replace(base, backend="git", ref=rest)
    if scheme in SCHEMES and rest.startswith("//"):
        bucket, _, prefix = rest[2:].partition("/")
        prefix = prefix.rstrip("/")
        problem = bucket_problem(bucket)
        if problem:
            raise UsageProblem(f"{bucket!r} {problem}")
        problem = prefix_problem(prefix) if prefix else None
        if problem:
            raise UsageProblem(f"{prefix!r} {problem}")
        return replace(base, backend=SCHEMES[scheme], bucket=bucket, prefix=prefix)
    raise UsageProblem(
        f"{text!r} is no place for a state; write file:PATH, git, git:REF, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or "
        "az://CONTAINER/PREFIX"
    )


def settings_of(place: Place, folder: Path) -> dict[str, str]:
    """Give what the project file has to say so that the state is kept in a place."""
    said = {"backend": place.backend}
    if place.backend == "file":
        path = place.path
        said["path"] = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
        return said
    if place.backend == "git":
        values = {"remote": "" if place.remote == "origin" else place.remote, "ref": place.ref}
    else:
        values = {
            "bucket": place.bucket,
            "prefix": place.prefix,
            "region": place.region,
            "endpoint": place.endpoint,
            "account": place.account,
        }
    return said | {key: value for key, value in values.items() if value and key in KEYS[place.backend]}
