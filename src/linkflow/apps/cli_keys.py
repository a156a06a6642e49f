"""Subcommands for the keys that seal secrets."""

from typing import Annotated

import typer

sealing = typer.Typer(
    help="Keys that seal secrets in the database.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@sealing.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys by id and say which one seals; never a key itself."""
    from linkflow.adapters import vault
    from linkflow.apps.cli_local import settings
    from linkflow.apps.cli_show import print_json

    found = settings()
    keys, newest = vault.key_source(found.home / "keys", found.sealing_keys, found.sealing_command)()
    rows = [{"id": key_id, "seals": key_id == newest} for key_id in sorted(keys)]
    if as_json:
        print_json({"data": rows})
        return
    for row in rows:
        typer.echo(f"{row['id']}{'  seals' if row['seals'] else ''}")


@sealing.command("rotate")
def rotate() -> None:
    """Make a new key in LINKFLOW_HOME/keys and seal everything again with it; the old key opens meanwhile."""
    from linkflow.adapters import vault
    from linkflow.apps.cli_local import settings
    from linkflow.apps.cli_scheduler import run

    found = settings()
    if found.sealing_keys or found.sealing_command:
        raise typer.BadParameter(
            "The keys are not in files: put the new one first where they are, then run "
            "`linkflow scheduler run sealing`."
        )
    key_id = vault.add_key(found.home / "keys")
    typer.echo(f"made the key {key_id}; back LINKFLOW_HOME/keys up now")
    run("sealing", dry_run=False, as_json=False)
