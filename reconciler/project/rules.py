"""The rules of the project file past its shape: secrets, addresses, accounts, credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.manifests.discover import pattern_problem
from reconciler.manifests.document import Document
from reconciler.manifests.words import nearest, one_of, plain
from reconciler.model.diagnostic import Diagnostic, PathTuple, Severity, dotted
from reconciler.platforms.session import Platform
from reconciler.project.addresses import address_problem
from reconciler.project.references import has_reference, malformed, single
from reconciler.state import place as places
from reconciler.validate.schema_errors import public_key

if TYPE_CHECKING:
    from reconciler.project.schema import ConnectionEntry, ProjectEntry, StateEntry

# Keys of `auth` that hold no secret; every other one has to be a reference.
NOT_SECRET = frozenset({"client_id", "username", "audience", "token_url", "private_key_file"})
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def account_problem(account: str, platform: Platform) -> bool:
    """Tell whether a resolved account does not look like one of the platform's."""
    return re.fullmatch(platform.account_pattern, account) is None


def token_problem(value: str) -> str | None:
    """Tell what is wrong with a resolved credential, without repeating it."""
    return None if value.isprintable() else "holds a line break or another control character"


def public(path: PathTuple) -> str:
    """Give a path for messages; a key inside a connection shows only as far as it can be a name."""
    return plain(dotted((*path[:2], *(public_key(step) if isinstance(step, str) else step for step in path[2:]))), 200)


def problems(entry: ProjectEntry, document: Document, platforms: Mapping[str, Platform]) -> list[Diagnostic]:
    """Give every rule of the project file, in one environment, that is broken; `entry` is what fits its shape."""
    return list(_Rules(document, platforms).all(entry))


def credential_problems(document: Document, platforms: Mapping[str, Platform]) -> list[Diagnostic]:
    """
    Give what is wrong with the credentials of a file, those of every environment included, whatever else is wrong.

    No message repeats the value of a credential.
    """
    rules = _Rules(document, platforms)
    found = list(rules.credentials(document.value, ()))
    environments = document.value.get("environments")
    for name, entry in environments.items() if isinstance(environments, dict) else ():
        if isinstance(entry, dict):
            found += rules.credentials(entry, ("environments", name))
    return found


def kind_problems(entry: ProjectEntry, document: Document, platforms: Mapping[str, Platform]) -> Iterator[Diagnostic]:
    """Give the defaults that are those of no kind."""
    kinds = [kind.name for platform in platforms.values() for kind in platform.kinds]
    for name in entry.defaults:
        if name not in kinds:
            meant = nearest(name, kinds)
            yield Diagnostic(
                Severity.ERROR,
                document.locate(("defaults", name), True),
                f'there is no kind "{plain(name)}"; it has to be {one_of(kinds)}',
                path=plain(f"defaults.{name}", 200),
                hint=f"did you mean {meant}?" if meant else "",
            )


def _state_problem(key: str, value: str) -> str | None:
    checks = {
        "remote": places.remote_problem,
        "ref": places.ref_problem,
        "bucket": places.bucket_problem,
        "prefix": places.prefix_problem,
        "endpoint": address_problem,
    }
    if key in checks:
        return checks[key](value)
    if key == "lock_expires":
        try:
            places.seconds_of(value)
        except ValueError:
            return "is no duration; write it like 90s, 30m, 2h or 1d, or never"
    if key in ("region", "account") and not re.fullmatch(r"[a-z0-9-]{1,63}", value):
        return "is lower-case letters, digits and hyphens"
    return None


class _Rules:
    def __init__(self, document: Document, platforms: Mapping[str, Platform]) -> None:
        self.document = document
        self.platforms = platforms

    def all(self, entry: ProjectEntry) -> Iterator[Diagnostic]:
        for index, pattern in enumerate(entry.manifests):
            wrong = pattern_problem(pattern) or ("variables are not read here" if "${" in pattern else None)
            if wrong:
                yield self._error(("manifests", index), wrong)
        yield from self._state(entry.state)
        for name, connection in entry.connections.items():
            path = ("connections", name)
            if not name.isprintable() or name != name.strip():
                yield self._error(path, "a connection's name is plain text without spaces around it", key=True)
            if connection.platform not in self.platforms:
                meant = nearest(connection.platform, self.platforms)
                yield self._error(
                    (*path, "platform"),
                    f'there is no platform "{plain(connection.platform)}"; it has to be {one_of(self.platforms)}',
                    f"did you mean {meant}?" if meant else "",
                )
                continue
            yield from self._connection(path, connection, self.platforms[connection.platform])

    def _state(self, entry: StateEntry) -> Iterator[Diagnostic]:
        takes = places.KEYS[entry.backend]
        given = {key: getattr(entry, key) for key in entry.model_fields_set - {"backend"}}
        given = {key: value for key, value in given.items() if value is not None}
        for key in sorted(given.keys() - takes):
            hint = f"{entry.backend} takes {', '.join(sorted(takes)) or 'nothing else'}"
            yield self._error(("state", key), f"does not go with the backend {entry.backend}", hint, key=True)
        missing = [key for key in ("bucket", "prefix") if key in takes and key not in given]
        if missing:
            yield self._error(("state",), f"the backend {entry.backend} needs {' and '.join(missing)}", key=True)
        for key in sorted(given.keys() & takes):
            value = given[key]
            wrong = "variables are not read here" if "${" in value else _state_problem(key, value)
            if wrong:
                yield self._error(("state", key), wrong)

    def _connection(self, path: PathTuple, entry: ConnectionEntry, platform: Platform) -> Iterator[Diagnostic]:
        base = (*path, "base_url")
        if entry.base_url is None:
            if platform.default_base_url is None:
                yield self._error(base, f"missing; {platform.title} has no common address", "add base_url")
        else:
            yield from self._address(base, entry.base_url)
        if entry.api_version is not None and not _VERSION.fullmatch(entry.api_version):
            wrong = "variables are not read here" if "${" in entry.api_version else "is no version"
            yield self._error((*path, "api_version"), wrong, f'write it like "{platform.default_api_version}"')
        for index, account in enumerate(entry.accounts):
            place = (*path, "accounts", index)
            yield from self._text(place, account)
            if not has_reference(account) and not malformed(account) and account_problem(account, platform):
                yield self._error(place, f'"{plain(account)}" is no account of {platform.title}')
        if entry.refresh is not None and entry.refresh not in platform.refreshes:
            able = [other.title for other in self.platforms.values() if entry.refresh in other.refreshes]
            yield self._error(
                (*path, "refresh"),
                f"{platform.title} has no {entry.refresh} refresh; {' and '.join(able) or 'no platform'} has",
                f"leave it out, or write {' or '.join(sorted(platform.refreshes))}",
            )
        if entry.auth is not None:
            yield from self._auth((*path, "auth"), entry.auth, platform)

    def _auth(self, path: PathTuple, auth: Mapping[str, str], platform: Platform) -> Iterator[Diagnostic]:
        known = frozenset().union(*platform.auth_shapes) | platform.auth_optional
        unknown = [key for key in auth if key not in known]
        for key in unknown:
            meant = nearest(key, sorted(known))
            name = re.match(r"[A-Za-z][A-Za-z_]{0,30}", key)
            # A colon without a space after it makes the secret a part of the key.
            said = "a key that is not known" if name is None else f'unknown key "{name.group()}"'
            if name is not None and name.group() != key:
                said = f'unknown key that begins with "{name.group()}"; is the space after the colon missing?'
            hint = f"did you mean {meant}?" if meant else f"{platform.title} knows {', '.join(sorted(known))}"
            place = self.document.locate((*path, key), True)
            yield Diagnostic(Severity.ERROR, place, f"{public(path)}: {said}", path=public(path), hint=hint)
        given = frozenset(auth)
        fits = any(shape <= given <= shape | platform.auth_optional for shape in platform.auth_shapes)
        if not unknown and not fits:
            shapes = [", ".join(sorted(shape)) for shape in platform.auth_shapes]
            yield self._error(
                path,
                f"these credentials do not go together: {', '.join(sorted(given)) or 'none'}",
                f"{platform.title} takes {' or '.join(f'{{{shape}}}' for shape in shapes)}",
                key=True,
            )

    def credentials(self, stated: Mapping[str, Any], prefix: PathTuple) -> Iterator[Diagnostic]:
        """Check the values of every `auth` that is a mapping, whatever else is wrong in the file."""
        connections = stated.get("connections")
        for name, entry in connections.items() if isinstance(connections, dict) else ():
            auth = entry.get("auth") if isinstance(entry, dict) else None
            for key, value in auth.items() if isinstance(auth, dict) else ():
                if isinstance(value, str) and value:
                    yield from self._credential((*prefix, "connections", name, "auth", key), key, value)

    def _credential(self, path: PathTuple, key: str, value: str) -> Iterator[Diagnostic]:
        if key == "token_url":
            yield from self._address(path, value)
            return
        if key in NOT_SECRET:
            yield from self._text(path, value)
            return
        reference = single(value)
        example = f"${{{key.upper()}}}"
        if reference is None:
            yield self._error(
                path, "a secret is written out here", f"put it in an environment variable and write {example}"
            )
        elif reference[1]:
            yield self._error(path, "a secret is written out as the default", f"write ${{{reference[0]}}}")

    def _address(self, path: PathTuple, value: str) -> Iterator[Diagnostic]:
        yield from self._text(path, value)
        problem = None if "${" in value else address_problem(value)
        if problem:
            yield self._error(path, problem)

    def _text(self, path: PathTuple, value: str) -> Iterator[Diagnostic]:
        if malformed(value):
            yield self._error(
                path, "holds a ${ that is no reference to a variable", "write ${NAME} or ${NAME:-default}"
            )

    def _error(self, path: PathTuple, message: str, hint: str = "", *, key: bool = False) -> Diagnostic:
        named = public(path)
        return Diagnostic(Severity.ERROR, self.document.locate(path, key), f"{named}: {message}", path=named, hint=hint)
