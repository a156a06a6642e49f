"""The commands that read workflow files."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from linkflow.apps import shown
from linkflow.apps.remote import Remote
from linkflow.domain.errors import Invalid, LinkFlowError
from linkflow.domain.values import Json
from linkflow.domain.workflow.check import check_json
from linkflow.domain.workflow.imports import import_workflows
from linkflow.domain.workflow.spec import Problem, Severity, to_json
from linkflow.nodes.registry import NodeRegistry


def read_workflow(file: Path) -> Json:
    """Read a workflow file.

    Raises:
        Invalid: It cannot be read, or is not JSON; the message names file, line and column.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.", code="file.unreadable") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not a UTF-8 text file.", code="file.unreadable") from error
    except json.JSONDecodeError as error:
        raise Invalid(
            f"{file} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            code="file.not_json",
        ) from error


def read_input(text: str) -> Json:
    """Read the value of an option: JSON, `@FILE`, or `-` for standard input.

    Raises:
        Invalid: It is not JSON.
    """
    if text.startswith("@"):
        return read_workflow(Path(text[1:]))
    if text == "-":
        text = sys.stdin.read()
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(
            f"The input is not JSON: {error.msg} at column {error.colno}. Quote it for the shell: "
            '\'{"name": "Ada"}\'.',
            code="input.not_json",
        ) from error


def problems_of(raw: Json) -> tuple[Json, Sequence[Problem]]:
    """Read a workflow of any known shape; the spec as JSON, and what is wrong with it.

    Raises:
        Invalid: It has no known shape.
    """
    catalog = NodeRegistry.discover()
    if isinstance(raw, Mapping) and not isinstance(raw.get("trigger"), Mapping):
        spec = import_workflows(raw, catalog)[0].spec
        return to_json(spec), check_json(to_json(spec), catalog)[1]
    return raw, check_json(raw, catalog)[1]


def run_validate(file: Path, *, as_json: bool) -> int:
    """Check a file; 0 when it can run."""
    _, problems = problems_of(read_workflow(file))
    wrong = [problem for problem in problems if problem.severity is Severity.ERROR]
    if as_json:
        listed = msgspec.to_builtins(problems)
        shown.as_json({"valid": not wrong, "problems": listed})
        return 1 if wrong else 0
    for problem in problems:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        shown.console.print(f"[{style}]{problem.severity.value:7}[/{style}] {problem.code}", soft_wrap=True)
        shown.console.print(f"        {problem.path}: {problem.message}", markup=False, soft_wrap=True)
    warnings = len(problems) - len(wrong)
    verdict = "cannot run" if wrong else "can run"
    shown.console.print(f"{file} {verdict}: {_many(len(wrong), 'error')}, {_many(warnings, 'warning')}.")
    return 1 if wrong else 0


def run_import(remote: Remote, files: Sequence[Path], *, activate: bool, as_json: bool) -> int:
    """Create a workflow from each file; 0 when all went well. One bad file does not keep the others out."""
    answers: list[Json] = []
    failed = 0
    for file in files:
        try:
            answer = remote.post("/workflows/import", read_workflow(file))
        except LinkFlowError as error:
            failed += 1
            answers.append({"file": str(file), "error": {"code": error.code, "detail": str(error)}})
            if not as_json:
                shown.errors.print(f"[red]error[/red] {file}: {error}", soft_wrap=True)
            continue
        for workflow in answer.get("workflows", [answer]):
            if activate:
                remote.post(f"/workflows/{workflow['id']}/activate")
            answers.append({"file": str(file), **workflow})
            if not as_json:
                state = "imported and active" if activate else "imported"
                shown.console.print(
                    f"{workflow['id']}  {workflow['name']}  ({state})", markup=False, soft_wrap=True
                )
    if as_json:
        shown.as_json(answers)
    return 1 if failed else 0


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
