"""What `comment` and `issue` share: the forge that a place names, and the line under a text that says whence it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.common import say
from reconciler.cli.watching import watch_of_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.ci_place import Place
    from reconciler.forge.client import Access
    from reconciler.forge.github import GitHub
    from reconciler.forge.gitlab import GitLab


def access(place: Place, max_wait_s: float) -> Access:
    """Give the way to a forge; its requests are logged like those to the platforms."""
    from reconciler.forge.client import Access

    watch = watch_of_run(say)
    watch.learn({"token": place.token})
    return Access(place.api, place.token, place.variable, max_wait_s, announce=say, trace=watch.trace)


def forge_of(place: Place, way: Access, labels: Sequence[str] = ()) -> GitHub | GitLab:
    """Give the forge of a place; makes no call."""
    from reconciler.forge.github import GitHub
    from reconciler.forge.gitlab import GitLab

    if place.forge == "github":
        return GitHub(way, place.repository, place.number, graphql=place.graphql, labels=labels)
    return GitLab(way, place.repository, place.number, labels=labels)


def footer(place: Place) -> str:
    """Give the line that says which commit a text is about; empty where that is not known."""
    return f"\n<sub>For commit {place.commit[:12]}.</sub>\n" if place.commit else ""
