"""Commands that work on this machine: start, validate, migrate, reset the password."""

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from linkflow.apps.cli_client import CommandFailed, connect
from linkflow.apps.cli_show import print_json, read_file
from linkflow.apps.settings import Settings, load
from linkflow.domain.callback import signed_headers

EXAMPLE = """curl -s {url}/api/v1/workflows/execute \\
    -H "Authorization: Bearer $(python3 -c 'import json;print(json.load(open("{access}"))["token"])')" \\
    -H 'Content-Type: application/json' -d '{{"workflow": {{
      "trigger": {{"id": "start", "type": "trigger.manual"}},
      "nodes": [{{"id": "hello", "type": "data.set",
                 "config": {{"values": {{"text": "Hello {{{{input.name}}}}"}}}}}}],
      "edges": [{{"source": "start", "target": "hello"}}]}}, "triggerPayload": {{"name": "Ada"}}}}'"""


def settings() -> Settings:
    """Read what a person set."""
    from linkflow.apps.secret_files import with_secret_files

    return load(with_secret_files(os.environ), lambda text: print(f"linkflow: {text}", file=sys.stderr))  # noqa: T201  the command line


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"linkflow: {text}", flush=True)  # noqa: T201  the command line


def serve(roles: str = "", *, is_insecure: bool = False) -> None:
    """Start LinkFlow as a service: whole, or a process of some roles."""
    found = settings()
    if roles:
        from linkflow.apps.serve_roles import run_roles

        run_roles(replace(found, insecure=found.insecure or is_insecure), roles, _to_stderr)
        return
    from linkflow.apps.serve import run

    run(found, _to_stderr, lambda running, url: _to_stderr(f"ready on {url}"))


def _to_stderr(text: str) -> None:
    """Say a line beside the log."""
    print(f"linkflow: {text}", file=sys.stderr, flush=True)  # noqa: T201  the command line


def up(workers: int = 0) -> None:
    """Start LinkFlow for a person, with more processes of workers if they are wanted."""
    from linkflow.apps.local_access import FILE
    from linkflow.apps.serve import run
    from linkflow.control.accounts import Owner

    found, began = settings(), time.monotonic()

    def ready(owner: Owner, url: str) -> None:
        say(f"ready on {url} after {time.monotonic() - began:.1f} s; the API is described at {url}/docs")
        if owner.new_password:
            say(f"owner: {owner.user.email}  password: {owner.new_password}  (shown this once)")
        else:
            say(f"owner: {owner.user.email}  (forgot the password? linkflow owner reset-password)")
        say(f"data in {found.home}; back up its folder keys, without it no secret can be opened")
        say("try this in another terminal:")
        print(EXAMPLE.format(url=url, access=found.home / FILE), flush=True)  # noqa: T201  the command line
        say("Ctrl-C stops; everything goes on at the next start")

    if workers:
        from linkflow.apps.more_workers import run as run_with_workers

        run_with_workers(found, workers, say, ready)
    else:
        run(found, say, lambda running, url: ready(running.owner, url))
    say("stopped")


def validate(files: list[Path], *, as_json: bool) -> int:
    """Check files against the node types of this machine; 1 when any cannot run."""
    from linkflow.domain.errors import Invalid
    from linkflow.domain.workflow.check import check, check_json
    from linkflow.domain.workflow.imports import import_workflows
    from linkflow.domain.workflow.spec import Problem, Severity
    from linkflow.nodes.registry import NodeRegistry

    catalog = NodeRegistry.discover()
    report: list[Any] = []
    for path in files:
        try:
            document = read_file(path)
            if isinstance(document, dict) and isinstance(document.get("trigger"), dict):
                problems = list(check_json(document, catalog)[1])
            else:
                problems = [
                    problem
                    for imported in import_workflows(document, catalog)
                    for problem in [*imported.notes, *check(imported.spec, catalog)]
                ]
        except (CommandFailed, Invalid) as error:
            problems = [Problem("SCHEMA_VALIDATION_ERROR", str(error))]
        report += [
            {
                "file": str(path),
                "severity": str(problem.severity),
                "code": problem.code,
                "message": problem.message,
                "path": problem.path,
                "node_id": problem.node_id,
            }
            for problem in problems
        ]
    failed = any(each["severity"] == Severity.ERROR for each in report)
    if as_json:
        print_json({"valid": not failed, "problems": report})
        return int(failed)
    for each in report:
        place = each["node_id"] or each["path"]
        print(f"{each['file']}: {each['severity']} {each['code']} at {place}: {each['message']}")  # noqa: T201  the command line
    if not failed:
        say(f"{len(files)} of {len(files)} can run")
    return int(failed)


def reset_password(email: str, password: str) -> None:
    """Ask the running LinkFlow to set a new password; the call is signed with this machine's secret."""
    import secrets
    from dataclasses import replace

    from linkflow.adapters.vault import keep_key
    from linkflow.apps.local_access import find_access, keep_access
    from linkflow.apps.secret_files import SIGNING_SECRET

    found = settings()
    if not found.secret and not (found.home / "keys" / SIGNING_SECRET).exists():
        raise CommandFailed(f"No LinkFlow has run in {found.home}. Start it: linkflow up")
    secret = keep_key(found.home / "keys", SIGNING_SECRET, given=found.secret)
    made = password or secrets.token_urlsafe(12)
    body = {"email": email, "password": made}
    raw = json.dumps(body).encode()
    headers = dict(signed_headers(secret, "owner.reset_password", raw, time.time()))
    api = connect(found.home)
    answer = api.call("POST", "/auth/owner-password", body, headers)
    signed_in = api.call("POST", "/auth/login", {"email": answer["email"], "password": made})
    known = find_access(found.home)
    if known is not None:  # the reset has ended the command line's own sign-in as well
        keep_access(found.home, replace(known, token=signed_in["access_token"]))
    say(f"owner: {answer['email']}  password: {made if not password else '(as given)'}")


def migrate(phase: str) -> None:
    """Bring the schema of the database to what this version needs."""
    from linkflow.adapters.embedded import EmbeddedPostgres
    from linkflow.adapters.sql.schema import Phase
    from linkflow.adapters.sql.schema import migrate as bring
    from linkflow.apps.settings import database_urls

    chosen: Phase = "pre" if phase == "pre" else "post"
    if chosen != phase:
        raise CommandFailed("A phase is pre or post.")
    found = settings()
    urls = database_urls(found)

    async def go() -> None:
        for name, url in urls.items():
            say(f"{name}: looking at the schema")
            await bring(url, say, phase=chosen)
        if urls:
            return
        postgres = await EmbeddedPostgres.start(found.home, say=say)
        try:
            await bring(postgres.dsn, say, phase=chosen)
        finally:
            await postgres.stop()

    asyncio.run(go())
    say("the schema is up to date")
