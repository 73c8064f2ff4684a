"""
Refresh tokens that the platform has replaced by a new one, kept in the user's cache folder.

A rotated token is the only one that works from then on, so it outlives the run: owner-only, written atomically, named
by a hash, never in the project or the state.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class TokenCache:
    """
    The place of one connection's rotated refresh token.

    `folder` None means that there is no such place. `announce` is told, once, when a token cannot be kept or when the
    place is known not to last (`short_lived`: a CI run).
    """

    folder: str | None
    connection: str
    client_id: str
    token_url: str
    announce: Callable[[str], None] = field(repr=False)
    short_lived: bool = False
    _warned: bool = field(default=False, init=False)

    @property
    def path(self) -> Path | None:
        """The file, whether it exists or not; None without a folder."""
        if self.folder is None:
            return None
        name = hashlib.sha256("\0".join((self.connection, self.client_id, self.token_url)).encode()).hexdigest()
        return Path(self.folder).expanduser() / f"{name[:32]}.json"

    def load(self, given: str) -> str:
        """
        Give the refresh token to use: the kept one when it descends from the `given` one, else the given one.

        A kept token whose ancestor is another is left alone unused: somebody has consented anew since.
        """
        try:
            kept = json.loads(self.path.read_text("utf-8")) if self.path else {}
        except (OSError, ValueError):
            return given
        if not isinstance(kept, dict) or kept.get("from") != _fingerprint(given):
            return given
        token = kept.get("refresh_token")
        return token if isinstance(token, str) and token else given

    def save(self, given: str, rotated: str) -> None:
        """Keep the token that replaced `given` (the configured one); warns instead of raising when that fails."""
        path = self.path
        if path is None:
            self._warn("there is no cache folder to keep it in")
            return
        try:
            _write(path, json.dumps({"from": _fingerprint(given), "refresh_token": rotated}))
        except OSError as error:
            self._warn(f"it cannot be kept in {path.parent}: {error.strerror or type(error).__name__}")
            return
        if self.short_lived:
            self._warn(f"it is kept in {path.parent}, which does not outlive a CI run")

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            self.announce(
                f"{self.connection}: the platform replaced the refresh token, and {why}; "
                "the configured token may not work again: use credentials that do not rotate, or renew the secret"
            )


def _fingerprint(token: str) -> str:
    return hashlib.sha256(b"refresh token\0" + token.encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".token-")  # mkstemp makes it owner-only (0600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
