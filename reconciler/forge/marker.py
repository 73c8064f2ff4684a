"""The hidden first line by which a comment or an issue of ours is found again."""

from __future__ import annotations

from hashlib import sha256

LIMIT = 65_000
"""Characters of a comment or an issue, its marker included; GitHub refuses more than 65,536, GitLab takes 1,000,000."""


def sticky(kind: str, project: str, environment: str | None) -> str:
    """
    Give the marker of a kind of text (`plan`, `drift`, `issue`) for one project and environment.

    `project` tells several projects of one repository apart. Names are hashed, so that the line is short and holds
    nothing from outside.
    """
    identity = "\0".join((project, environment or "")).encode(errors="replace")
    return f"<!-- reconciler:{kind} id={sha256(identity).hexdigest()[:16]} -->"


def marked(marker: str, body: str) -> str:
    """Give a text under its marker; raises ValueError when both are longer than what a comment holds."""
    text = f"{marker}\n{body.strip()}\n"
    if len(text) > LIMIT:
        raise ValueError(f"{len(text):,} characters, and a comment has room for {LIMIT:,}")
    return text


def is_marked(body: str, marker: str) -> bool:
    """Tell whether a text begins with a marker; one further below may be quoted, or somebody else's doing."""
    return body.lstrip("\ufeff \t\r\n").startswith(marker)


def outdated(body: str, marker: str) -> str:
    """Give a comment that is folded away and not found again."""
    rest = body.lstrip("\ufeff \t\r\n").removeprefix(marker).strip()
    words = "<details><summary>Outdated: there is a newer comment</summary>\n\n"
    text = f"<!-- reconciler:outdated -->\n{words}{rest}\n\n</details>\n"
    return text if len(text) <= LIMIT else "<!-- reconciler:outdated -->\nOutdated: there is a newer comment.\n"


def same(one: str, other: str) -> bool:
    """Tell whether two texts are the same but for line ends and the blanks around, which the forges change."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
