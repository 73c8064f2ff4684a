"""Makes the store that a project asks for; each backend's own code is loaded only when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from reconciler.state.lock import utc_now
from reconciler.state.place import Place
from reconciler.state.store import Store


def open_store(
    place: Place, folder: Path, environ: Mapping[str, str], *, now: Callable[[], datetime] = utc_now
) -> Store:
    """
    Give the store of a place; `folder` is the project's. Nothing is asked yet: problems show at the first use.

    `environ` is where git looks for its settings; object stores read the credentials of the process as their SDKs do.
    """
    if place.backend == "file":
        from reconciler.state.file_store import FileStore

        return FileStore(place.path, now=now)
    from reconciler.state.remote_store import RemoteStore

    if place.backend == "git":
        from reconciler.state.git_store import GitMedium

        git = GitMedium(folder, environ, remote=place.remote, ref=place.ref, name=place.name)
        return RemoteStore(git, lock_expires_s=place.lock_expires_s, now=now)
    from reconciler.state.object_store import object_medium

    return RemoteStore(object_medium(place), lock_expires_s=place.lock_expires_s, now=now)
