"""The commands that start LinkFlow or work on its database."""

import asyncio
import secrets
from typing import Literal, cast

import uvloop

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.records import SqlRecords
from linkflow.adapters.sql.schema import migrate
from linkflow.adapters.vault import BcryptHasher
from linkflow.apps.remote import NotRunning, Remote
from linkflow.apps.serve import Started, serve
from linkflow.apps.settings import Settings
from linkflow.apps.shown import console
from linkflow.domain.errors import Invalid, NotFound


def run_up(settings: Settings) -> None:
    """Start LinkFlow and greet."""
    uvloop.run(serve(settings, _say, lambda started: _greet(settings, started)))


def run_serve(settings: Settings) -> None:
    """Start LinkFlow; one line says that it is ready."""
    uvloop.run(serve(settings, _say, lambda started: _say(f"LinkFlow answers at {started.address}")))


def run_migrate(settings: Settings, phase: str) -> None:
    """Bring the schema up to date."""
    if phase not in ("pre", "post"):
        raise Invalid(f"A phase is pre or post, not {phase!r}.")
    if settings.database_url is None:
        raise Invalid(
            "The embedded database is migrated at every start; set LINKFLOW_DATABASE_URL for another."
        )
    asyncio.run(migrate(settings.database_url, _say, phase=cast(Literal["pre", "post"], phase)))
    _say("The schema is up to date.")


def run_reset_password(settings: Settings, email: str, password: str) -> None:
    """Set a new password, on the running database or on one started for it."""
    chosen = password or secrets.token_urlsafe(12)
    name = asyncio.run(_reset_password(settings, email.strip().lower(), chosen))
    _say(f"The password of {name} is set; every sign-in of theirs has ended.")
    if not password:
        _say(f"  new password   {chosen}")


async def _reset_password(settings: Settings, email: str, password: str) -> str:
    postgres = None
    dsn = settings.database_url
    if dsn is None:
        _refuse_while_running(settings)
        postgres = await EmbeddedPostgres.start(settings.home)
        dsn = postgres.dsn
    database = await Database.open(dsn, pool_size=1)
    try:
        accounts = SqlRecords(database).accounts
        user = await accounts.by_email(email) if email else await accounts.owner()
        if user is None:
            raise NotFound(
                f"There is no user {email}." if email else "There is no owner yet; start LinkFlow once."
            )
        await accounts.set_password(user.id, await BcryptHasher().hash(password))
        await accounts.revoke(user.id)
        return user.email
    finally:
        await database.close()
        if postgres is not None:
            await postgres.stop()


def _refuse_while_running(settings: Settings) -> None:
    try:
        remote = Remote.find(settings.home, {})
        remote.get("/auth/me")
    except NotRunning:
        return
    raise Invalid("LinkFlow runs on this folder; stop it first, then reset the password.")


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _greet(settings: Settings, started: Started) -> None:
    say = _say
    say("")
    console.print(f"[bold green]LinkFlow is up[/bold green] at [bold]{started.address}[/bold]")
    say("")
    say(f"  sign in as     {started.owner_email}")
    if started.new_password:
        say(f"  password       {started.new_password}   (shown this once)")
    else:
        say("  password       the one you have; `linkflow owner reset-password` sets a new one")
    say(f"  API            {started.address}/docs")
    say(f"  data and keys  {settings.home}")
    say("")
    say("Try, in another terminal:")
    say('  .venv/bin/linkflow run examples/hello.json --input \'{"name": "Ada"}\'')
    say("")
    say("Stop with Ctrl+C; everything open goes on at the next start.")
