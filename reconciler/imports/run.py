"""The use cases: import one experiment, or all that are live and not managed yet. The caller holds the lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.errors import PlatformError, ReconcilerError, UsageProblem
from reconciler.imports.importer import Importer, Options
from reconciler.imports.result import Imported, ImportResult, Outcome
from reconciler.manifests.words import one_of, plain
from reconciler.model.resource import Found, Gone, Key, Live, Unknown
from reconciler.platforms.base import Kind
from reconciler.platforms.session import ReadRequest, Session, Wanted
from reconciler.project import Project
from reconciler.reading import Sessions, sessions_of
from reconciler.validate.validated import Validated
from reconciler.workflow import Surroundings

Accounts = Callable[[str], Sequence[str]]
"""Gives the accounts of a connection by its name, their variables read."""
Tell = Callable[[Imported], None]

__all__ = ["Options", "connection_for", "import_all", "import_one"]


async def import_one(
    around: Surroundings,
    found: Validated,
    kind: Kind,
    remote_id: str,
    connection: str,
    options: Options,
    read: Accounts,
) -> Imported:
    """
    Import one experiment; `remote_id` may be `account/id`, and what else the platform names an experiment by.

    Raises UsageProblem or ReconcilerError when there is no such experiment, it is managed already, or it cannot be
    stated; then nothing is written.
    """
    importer = Importer(around, found.desired, options)
    importer.refuse_managed(kind, connection, remote_id)
    folder = importer.folder(connection)
    account, _, bare_id = remote_id.rpartition("/")
    async with sessions_of(around.open_session) as sessions:
        looked_in = (account,) if account else _accounts_to_search(kind, connection, read)
        live = await _find(sessions.get(connection), kind, bare_id, looked_in)
    try:
        item = importer.take(connection, kind, live, folder, named=True)
    finally:
        importer.save()
    if item.outcome is not Outcome.IMPORTED:
        raise ReconcilerError(f"{kind.name} {plain(item.remote_id)}: {item.reason}")
    return item


async def import_all(
    around: Surroundings, found: Validated, connections: Sequence[str], options: Options, read: Accounts, tell: Tell
) -> ImportResult:
    """
    Import every live experiment of the connections (none named: of all) that is not managed; `tell` hears of each.

    What is over comes last, so that it never stands in the way of what runs. One that fails does not stop the others.
    """
    names = list(dict.fromkeys(connections)) or list(around.project.connections)
    for name in names:
        around.project.connection(name)
    importer = Importer(around, found.desired, options)
    folders = {name: importer.folder(name) for name in names}
    result = ImportResult()
    ended: list[tuple[str, Kind, Live]] = []

    def take(name: str, kind: Kind, live: Live) -> None:
        item = importer.take(name, kind, live, folders[name])
        result.items.append(item)
        tell(item)

    try:
        async with sessions_of(around.open_session) as sessions:
            for name, kind, account in _places(around, names, read, result):
                if result.interrupted:
                    break
                await _list(
                    around, sessions, name, kind, account, result, take, ended if options.include_ended else None
                )
        for name, kind, live in ended:
            if result.interrupted or around.stopping():
                result.interrupted = True
                break
            take(name, kind, live)
    finally:
        importer.save()
    return result


def connection_for(project: Project, kind: Kind, stated: str | None) -> str:
    """Give the connection to import a kind through; raises UsageProblem where that is not clear."""
    fitting = [name for name, item in project.connections.items() if item.platform == kind.platform]
    if stated is not None:
        platform = project.connection(stated).platform
        if platform != kind.platform:
            hint = f"; use {one_of(fitting)}" if fitting else f"; there is no connection of {kind.platform}"
            raise UsageProblem(f"{kind.name} is of {kind.platform}, and connection {stated} is of {platform}{hint}")
        return stated
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise UsageProblem(f"{kind.name} needs a connection of {kind.platform}, and {project.file} has none")
    raise UsageProblem(f"{kind.platform} has several connections; say which: --connection {one_of(fitting)}")


# --- finding ---------------------------------------------------------------------------------------------------------


def _accounts_to_search(kind: Kind, connection: str, read: Accounts) -> Sequence[str]:
    if not kind.needs_account:
        return ("",)
    accounts = read(connection)
    if not accounts:
        raise UsageProblem(
            f"an experiment of {kind.platform} is read through its account, and connection {connection} names no "
            "accounts; write the id as ACCOUNT/ID, or add accounts to the connection"
        )
    return accounts


async def _find(session: Session, kind: Kind, remote_id: str, accounts: Sequence[str]) -> Live:
    """Read an experiment, account by account until it is found; raises ReconcilerError when it is nowhere."""
    whys: list[str] = []
    for account in accounts:
        wanted = Wanted(Key(kind.name, remote_id), remote_id, account)
        snapshot = await session.snapshot(ReadRequest((wanted,)))
        match snapshot.readings.get(remote_id, Unknown("the platform's answer leaves it out")):
            case Found(live):
                return live
            case Gone(why):
                whys.append(why)
            case Unknown(why):
                whys.append(why)
    reasons = "; ".join(dict.fromkeys(whys))
    raise ReconcilerError(
        f"there is no {kind.name} {plain(remote_id)} to import through connection {session.connection}: {reasons}"
    )


def _places(
    around: Surroundings, names: Sequence[str], read: Accounts, result: ImportResult
) -> list[tuple[str, Kind, str]]:
    """Give where to look: connection, kind and account. Connections that cannot be looked in are problems."""
    places: list[tuple[str, Kind, str]] = []
    for name in names:
        kinds = around.project.platforms[around.project.connections[name].platform].kinds
        kind = around.kinds(kinds[0].name, name)
        if kind.account_field is None:
            places.append((name, kind, ""))
            continue
        try:
            accounts = read(name)
        except ReconcilerError as error:
            result.problems.append(str(error))
            continue
        if not accounts:
            around.warn(f"connection {name} names no accounts, so nothing was looked for there")
        places += [(name, kind, account) for account in dict.fromkeys(accounts)]
    return places


async def _list(
    around: Surroundings,
    sessions: Sessions,
    name: str,
    kind: Kind,
    account: str,
    result: ImportResult,
    take: Callable[[str, Kind, Live], None],
    ended: list[tuple[str, Kind, Live]] | None,
) -> None:
    """Go through one account; what is over is kept for later where it is wanted."""
    where = f"connection {name}{f', account {account}' if account else ''}"
    around.warn(f"looking through {where}")
    if around.stopping():
        result.interrupted = True
        return

    def unreadable(sentence: str) -> None:
        result.problems.append(f"{where}: {sentence}")

    try:
        async for live in sessions.get(name).listing(account, left_out=unreadable):
            if ended is not None and live.over:
                ended.append((name, kind, live))
            else:
                take(name, kind, live)
            if around.stopping():
                result.interrupted = True
                return
    except PlatformError as error:
        result.problems.append(f"{where}: {error}")
    except UsageProblem as error:
        result.problems.append(str(error))
