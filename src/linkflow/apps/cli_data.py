"""Commands for everything LinkFlow keeps: back up, restore, move, upgrade."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; progress goes to stderr.")]
Passphrase = Annotated[
    Optional[Path],  # noqa: UP045  read at run time
    typer.Option("--passphrase-file", help="File whose first line seals the keys."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what the target holds.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (backup, restore, migrate_data, upgrade_data):
        app.command(command.__name__.replace("_", "-"))(command)


def backup(
    file: Annotated[Path, typer.Argument(help="Made; it must not exist.")],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Write database, blobs and keys into one file; LinkFlow may run meanwhile."""
    from linkflow.apps.backup import back_up
    from linkflow.apps.cli_local import settings

    found, say = settings(), _teller(as_json=as_json)
    passphrase = _passphrase(passphrase_file)
    report = asyncio.run(back_up(found, file.absolute(), passphrase, say))
    if report.manifest.keys and not report.manifest.keys_sealed:
        say(f"WARNING: {file} holds the keys in the clear: whoever reads it can open every secret.")
        say("         Seal them with --passphrase-file, or keep the file where your passwords are.")
    if found.secret:
        say("LINKFLOW_SECRET is set by you and not in the backup; keep it as well.")
    _print(report.facts(), as_json=as_json, line="backed up {rows:,} rows and {blobs:,} blobs to {file}")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    passphrase_file: Passphrase = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Bring everything back from a backup, or change nothing; LinkFlow must not run."""
    from linkflow.apps.backup import restore as bring_back
    from linkflow.apps.cli_local import settings

    found, say = settings(), _teller(as_json=as_json)
    passphrase = _passphrase(passphrase_file)
    report = asyncio.run(bring_back(found, file.absolute(), passphrase, say, force=force))
    _print(report.facts(), as_json=as_json, line="restored {rows:,} rows and {blobs:,} blobs from {file}")
    say("open executions go on at the next start: linkflow up")


def migrate_data(
    come_from: Annotated[str, typer.Option("--from", help="embedded, or the URL of a PostgreSQL database.")],
    go_to: Annotated[str, typer.Option("--to", help="The same, where the data shall be.")],
    engine_from: Annotated[
        Optional[str],  # noqa: UP045  read at run time
        typer.Option("--engine-from", help="Second database of the source, when it has two."),
    ] = None,
    engine_to: Annotated[
        Optional[str],  # noqa: UP045  read at run time
        typer.Option("--engine-to", help="Second database of the target, for event histories."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Move the database to another PostgreSQL, open executions and their timers included."""
    from linkflow.apps.cli_local import settings
    from linkflow.apps.moving import EMBEDDED, Place, shown
    from linkflow.apps.moving import migrate_data as move

    found, say = settings(), _teller(as_json=as_json)
    there, here = Place(come_from, engine_from), Place(go_to, engine_to)
    progress = asyncio.run(move(found, there, here, say, force=force))
    facts = {
        "from": str(there),
        "to": str(here),
        "rows": sum(progress.rows.values()),
        "bytes": progress.bytes_read,
        "tables": progress.rows,
    }
    _print(facts, as_json=as_json, line="moved {rows:,} rows; the source is left as it was")
    if go_to == EMBEDDED:
        say("now remove LINKFLOW_DATABASE_URL from your settings and start: linkflow up")
    else:
        say(f"now set LINKFLOW_DATABASE_URL={shown(go_to)} (with its password) and start: linkflow up")
    if engine_to is not None:
        say(f"and LINKFLOW_ENGINE_DATABASE_URL={shown(engine_to)}")
    say(f"keys and blobs stay in {found.home}: keep LINKFLOW_HOME, or take both folders along")


def upgrade_data(as_json: Json = False) -> None:
    """Bring the embedded database of an older PostgreSQL to the one that is installed now."""
    from linkflow.apps.cli_local import settings
    from linkflow.apps.upgrading import upgrade

    done = asyncio.run(upgrade(settings().home, _teller(as_json=as_json)))
    _print(done, as_json=as_json, line="PostgreSQL {from} to {to}: {rows:,} rows; the old data is in {kept}")


def _teller(*, as_json: bool) -> Callable[[str], None]:
    """Choose where progress goes."""
    return lambda text: print(f"linkflow: {text}", file=sys.stderr if as_json else sys.stdout, flush=True)


def _print(facts: Any, *, as_json: bool, line: str) -> None:
    """Say what was done."""
    from linkflow.apps.cli_local import say
    from linkflow.apps.cli_show import print_json

    if as_json:
        print_json(facts)
    else:
        say(line.format(**facts))


def _passphrase(file: Path | None) -> str | None:
    """Read a passphrase.

    Raises:
        CommandFailed: The file cannot be read, or has no passphrase in it.
    """
    from linkflow.apps.cli_client import CommandFailed

    if file is None:
        return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}.") from error
    if not lines or len(lines[0].strip()) < 8:
        raise CommandFailed(f"The first line of {file} is no passphrase: it has fewer than 8 characters.")
    return lines[0].strip()
