"""The command line. Each subcommand imports what it needs when it runs, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from linkflow.apps import (
    cli_access,
    cli_alerts,
    cli_approvals,
    cli_audit,
    cli_backlogs,
    cli_cluster,
    cli_credentials,
    cli_data,
    cli_kept,
    cli_keys,
    cli_letters,
    cli_scheduler,
    cli_subscriptions,
    cli_usage,
    rebuild,
)

app = typer.Typer(
    name="linkflow",
    help="Durable workflows: draw them, run them, trust them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
workflows = typer.Typer(
    help="Workflows of the running LinkFlow.", no_args_is_help=True, rich_markup_mode=None
)
executions = typer.Typer(
    help="Executions of the running LinkFlow.", no_args_is_help=True, rich_markup_mode=None
)
owner = typer.Typer(help="The owner of this installation.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(workflows, name="workflows")
app.add_typer(executions, name="executions")
app.add_typer(cli_credentials.credentials, name="credentials")
app.add_typer(cli_kept.variables, name="variables")
app.add_typer(owner, name="owner")
app.add_typer(cli_audit.audit, name="audit")
app.add_typer(cli_access.keys, name="keys")
app.add_typer(cli_access.members, name="members")
app.command()(cli_access.login)
app.command()(cli_access.logout)
app.add_typer(cli_approvals.approvals, name="approvals")
app.add_typer(cli_alerts.alerts, name="alerts")
app.add_typer(cli_subscriptions.subscriptions, name="subscriptions")
app.add_typer(cli_backlogs.backlogs, name="backlogs")
app.add_typer(cli_cluster.cluster, name="cluster")
app.add_typer(cli_keys.sealing, name="sealing")
app.add_typer(cli_letters.letters, name="dead-letters")
app.add_typer(cli_scheduler.scheduler, name="scheduler")
app.add_typer(cli_usage.budgets, name="budgets")
app.command()(cli_usage.usage)
app.command()(cli_usage.plans)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
File = Annotated[Path, typer.Argument(help="A workflow as JSON; - reads standard input.")]
Files = Annotated[list[Path], typer.Argument(help="Workflows or bundles as JSON.")]
Id = Annotated[str, typer.Argument(help="Id of the execution.")]
Ids = Annotated[list[str], typer.Argument(help="Ids of executions; none with --all.")]
Every = Annotated[bool, typer.Option("--all", help="Every execution that the options match.")]
OfWorkflow = Annotated[str, typer.Option("--workflow", help="Only of this workflow.")]
OfStatus = Annotated[str, typer.Option("--status", help="Only with this status.")]
WorkflowId = Annotated[str, typer.Argument(help="Id of the workflow.")]
Input = Annotated[str, typer.Option("--input", help="The input as JSON, or @file.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]


def _home() -> Path:
    """Find LINKFLOW_HOME."""
    from linkflow.apps.cli_local import settings

    return settings().home


def _api() -> Any:
    """Reach the running LinkFlow."""
    from linkflow.apps.cli_client import connect

    return connect(_home())


@app.command()
def up(
    workers: Annotated[
        int, typer.Option("--workers", min=0, max=64, help="Worker processes beside this one: more cores.")
    ] = 0,
) -> None:
    """Start LinkFlow for a person: says what it does, prints address, sign-in and an example."""
    from linkflow.apps.cli_local import up as start

    start(workers)


@app.command()
def serve(
    roles: Annotated[
        str,
        typer.Option(
            "--roles",
            help="What this process does, beside others: roles and presets (all, api, worker, scheduler), "
            "separated by commas. Without it this process is a whole LinkFlow.",
        ),
    ] = "",
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Talk to the others in the clear, also beyond this machine."),
    ] = False,
) -> None:
    """Start LinkFlow as a service: only its log is printed."""
    from linkflow.apps.cli_local import serve as start

    start(roles, is_insecure=insecure)


@app.command()
def run(file: File, data: Input = "null", as_json: Json = False) -> None:
    """Run a workflow from a file and show each node's result; starts LinkFlow if none runs."""
    from linkflow.apps.cli_run import run_file

    raise typer.Exit(run_file(_home(), file, data, as_json=as_json))


@app.command()
def validate(files: Files, as_json: Json = False) -> None:
    """List every problem of workflows, without a running LinkFlow."""
    from linkflow.apps.cli_local import validate as check

    raise typer.Exit(check(files, as_json=as_json))


@app.command("import")
def bring_in(
    files: Files,
    activate: Annotated[
        bool, typer.Option("--activate", help="Let their triggers start executions.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import workflows into the running LinkFlow."""
    from linkflow.apps.cli_remote import bring_in as bring

    bring(_api(), files, activate=activate, as_json=as_json)


@app.command()
def export(workflow_ids: Annotated[list[str], typer.Argument(help="Ids of workflows.")]) -> None:
    """Print workflows as a file that `import` reads."""
    from linkflow.apps.cli_remote import export as take_out

    take_out(_api(), workflow_ids)


@workflows.command("list")
def workflow_list(search: str = "", as_json: Json = False) -> None:
    """List workflows, newest first."""
    from linkflow.apps.cli_remote import list_workflows

    list_workflows(_api(), search, as_json=as_json)


@workflows.command("show")
def workflow_show(workflow_id: WorkflowId) -> None:
    """Print a workflow as JSON."""
    from linkflow.apps.cli_show import print_json

    print_json(_api().call("GET", f"/workflows/{workflow_id}"))


@workflows.command("execute")
def workflow_execute(workflow_id: WorkflowId, data: Input = "null", as_json: Json = False) -> None:
    """Start a workflow and show each node's result."""
    from linkflow.apps.cli_run import execute

    raise typer.Exit(execute(_api(), workflow_id, data, as_json=as_json))


def _workflow_act(workflow_id: str, action: str, *, as_json: bool) -> None:
    """Call one action of a workflow and say how it stands."""
    from linkflow.apps.cli_remote import act_on_workflow

    act_on_workflow(_api(), workflow_id, action, as_json=as_json)


@workflows.command("activate")
def workflow_activate(workflow_id: WorkflowId, as_json: Json = False) -> None:
    """Let a workflow's triggers start executions; prints its webhook addresses."""
    _workflow_act(workflow_id, "activate", as_json=as_json)


@workflows.command("deactivate")
def workflow_deactivate(workflow_id: WorkflowId, as_json: Json = False) -> None:
    """Let a workflow's triggers rest."""
    _workflow_act(workflow_id, "deactivate", as_json=as_json)


@workflows.command("publish")
def workflow_publish(workflow_id: WorkflowId, as_json: Json = False) -> None:
    """Make a workflow's draft its next version."""
    _workflow_act(workflow_id, "publish", as_json=as_json)


@executions.command("list")
def execution_list(
    workflow: OfWorkflow = "",
    status: OfStatus = "",
    limit: int = 20,
    as_json: Json = False,
) -> None:
    """List executions, newest first."""
    from linkflow.apps.cli_remote import list_executions

    list_executions(_api(), workflow, status, limit, as_json=as_json)


@executions.command("show")
def execution_show(
    execution_id: Id,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it is over.")] = False,
    as_json: Json = False,
) -> None:
    """Show an execution with its nodes."""
    from linkflow.apps.cli_run import show

    raise typer.Exit(show(_api(), execution_id, watch=watch, as_json=as_json))


@executions.command("events")
def execution_events(execution_id: Id) -> None:
    """Print the event history, one JSON object a line."""
    from linkflow.apps.cli_remote import print_events

    print_events(_api(), execution_id)


@executions.command("logs")
def execution_logs(execution_id: Id, as_json: Json = False) -> None:
    """Print what the nodes logged."""
    from linkflow.apps.cli_remote import print_logs

    print_logs(_api(), execution_id, as_json=as_json)


@app.command()
def explain(
    execution_id: Annotated[str, typer.Argument(help="Id of the execution; the newest when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Say what an execution waits for, since when, until when, and what you can do."""
    from linkflow.apps.cli_remote import explain as say

    say(_api(), execution_id, as_json=as_json)


@app.command()
def signal(
    execution_id: Id,
    name: Annotated[str, typer.Argument(help="Name of the event it waits for.")],
    key: Annotated[str, typer.Option("--key", help="Key the wait must match.")] = "",
    data: Annotated[str, typer.Option("--data", help="Data as JSON, or @file.")] = "null",
) -> None:
    """Send a message to an execution."""
    from linkflow.apps.cli_show import read_json

    _api().call(
        "POST", f"/executions/{execution_id}/signal", {"name": name, "key": key, "data": read_json(data)}
    )


@app.command()
def cancel(
    execution_ids: Ids = [],  # noqa: B006  typer reads it
    every: Every = False,
    workflow: OfWorkflow = "",
    status: OfStatus = "",
    reason: Reason = "",
    now: Annotated[bool, typer.Option("--now", help="End them at once, without tidying up.")] = False,
    as_json: Json = False,
) -> None:
    """Ask executions to end: those named, or with --all the open ones that the options match."""
    from linkflow.apps import cli_many

    api = _api()
    found = cli_many.meant(api, execution_ids, workflow, status, cli_many.OPEN, every=every)
    act = cli_many.terminate if now else cli_many.cancel
    raise typer.Exit(act(api, found, reason, as_json=as_json))


@app.command()
def retry(
    execution_ids: Ids = [],  # noqa: B006  typer reads it
    every: Every = False,
    workflow: OfWorkflow = "",
    status: OfStatus = "",
    from_node: Annotated[
        str, typer.Option("--from", help="Node to begin with, of a single one; else those that failed.")
    ] = "",
    data: Annotated[Optional[str], typer.Option("--input", help="Its new input, as JSON or @file.")] = None,  # noqa: UP045  read at run time
    as_json: Json = False,
) -> None:
    """Run executions again, and take over what went well; with one it stays, --all means what ended badly."""
    from linkflow.apps import cli_many
    from linkflow.apps.cli_run import retry as again

    api = _api()
    found = cli_many.meant(api, execution_ids, workflow, status, cli_many.ENDED_BADLY, every=every)
    if len(execution_ids) == 1:
        raise typer.Exit(again(api, found[0], from_node, data, as_json=as_json))
    if from_node or data is not None:
        raise typer.BadParameter("--from and --input are for a single execution; name one.")
    raise typer.Exit(cli_many.retry(api, found, as_json=as_json))


@owner.command("reset-password")
def reset_password(
    email: Annotated[str, typer.Option("--email", help="Whose; the owner's when left out.")] = "",
    password: Annotated[str, typer.Option("--password", help="The new one; made up when left out.")] = "",
) -> None:
    """Set a new password for the owner and end every sign-in."""
    from linkflow.apps.cli_local import reset_password as reset

    reset(email, password)


@app.command()
def queues(
    watch: Annotated[bool, typer.Option("--watch", help="Show them again every 2 seconds.")] = False,
    as_json: Json = False,
) -> None:
    """Show the task queues: what waits and for how long, what is under way, how many workers there are."""
    from linkflow.apps.cli_queues import show

    show(_api(), watch=watch, as_json=as_json)


@app.command()
def doctor(
    security: Annotated[
        bool, typer.Option("--security", help="Say instead what could be misused, and how to close it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at this installation and say what is wrong and what to back up."""
    from linkflow.apps.doctor import report

    raise typer.Exit(report(security=security, as_json=as_json))


@app.command()
def migrate(
    phase: Annotated[str, typer.Option(help="pre: what is safe beside old code; post: everything.")] = "post",
) -> None:
    """Bring the database's schema to what this version needs."""
    from linkflow.apps.cli_local import migrate as bring

    bring(phase)


cli_data.register(app)
rebuild.register(app)


@app.command()
def version() -> None:
    """Print the version."""
    from linkflow import __version__

    typer.echo(__version__)


def main() -> None:
    """Run the command line; an error of ours is one line, not a trace."""
    try:
        app()
    except Exception as error:
        from linkflow.apps.cli_client import CommandFailed
        from linkflow.domain.errors import LinkFlowError

        if not isinstance(error, CommandFailed | LinkFlowError):
            raise
        if "--json" in sys.argv and isinstance(error, CommandFailed):
            from linkflow.apps.cli_show import print_json

            print_json(error.problem)
        else:
            typer.echo(f"linkflow: {error}", err=True)
        sys.exit(1)
