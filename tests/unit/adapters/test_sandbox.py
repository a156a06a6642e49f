"""The sandbox of user code, with real worker processes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from linkflow.adapters.sandbox import PRINTED_BYTES, SandboxedCode
from linkflow.domain.errors import ActivityError
from linkflow.domain.values import Json
from linkflow.nodes.code import Python
from linkflow.testing.fakes import node_context

MB = 1024 * 1024


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxedCode]:
    found = SandboxedCode(processes=1)
    yield found
    await found.close()


async def run(sandbox: SandboxedCode, source: str, *, timeout_s: float = 5.0, **names: Json) -> Json:
    return await sandbox.run(source, names, timeout_s=timeout_s, memory_bytes=32 * MB)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("input['a'] + 1", 2),
        ("result = [x * 2 for x in range(3)]", [0, 2, 4]),
        ("return {'ok': True}", {"ok": True}),
        ("x = 1", None),
        ("(1, {2})", [1, [2]]),
        ("import json\njson.loads('[1]')", [1]),
        ("import datetime\ndatetime.date(2030, 1, 2)", "2030-01-02"),
        ("def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\nf(12)", 144),
    ],
)
async def test_values(sandbox: SandboxedCode, source: str, expected: Json) -> None:
    """The value is the last expression, what `return` gives, or `result`, as JSON."""
    assert expected == await run(sandbox, source, input={"a": 1})


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("while True: pass", "code.timeout"),
        ("import time\ntime.sleep(60)", "code.timeout"),
        ("'x' * 10**9", "code.memory"),
        ("a = []\nwhile True: a.append('y' * 1000)", "code.memory"),
        ("10 ** 10 ** 10", "code.memory"),
        ("def f(n): return f(n + 1)\nf(0)", "code.error"),
        ("1 / 0", "code.error"),
        ("def f(:", "code.syntax"),
        ("float('nan')", "code.result"),
        ("2 ** 70", "code.result"),
    ],
)
async def test_limits_and_errors(sandbox: SandboxedCode, source: str, code: str) -> None:
    """Code that fails or goes beyond a limit is an error of the node, and the next code runs."""
    with pytest.raises(ActivityError) as raised:
        await run(sandbox, source, timeout_s=0.5)

    assert (code, 2) == (raised.value.code, await run(sandbox, "1 + 1"))


@pytest.mark.parametrize(
    "source",
    [
        "open('/etc/passwd').read()",
        "import os\nos.listdir('/')",
        "import os\nos.environ['PATH']",
        "import socket",
        "import subprocess",
        "import ctypes",
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "eval('__import__(\"os\")')",
        "import pathlib\npathlib.Path('/etc/passwd').read_text()",
        "import urllib.request",
    ],
)
async def test_the_host_is_out_of_reach(sandbox: SandboxedCode, source: str) -> None:
    """Files, environment, network, processes and the interpreter's insides are out of reach."""
    with pytest.raises(ActivityError) as raised:
        await run(sandbox, source)

    assert "code.error" == raised.value.code


async def test_runs_are_apart(sandbox: SandboxedCode) -> None:
    """A name of one run does not exist in the next."""
    await run(sandbox, "leaked = 1")

    with pytest.raises(ActivityError, match="NameError"):
        await run(sandbox, "leaked")


async def test_errors_say_the_line(sandbox: SandboxedCode) -> None:
    """An error names its type, its message and the line of the user's code."""
    with pytest.raises(ActivityError) as raised:
        await run(sandbox, "x = 1\ny = {}\ny['no']")

    assert ("KeyError", 3) == (str(raised.value).partition(":")[0], raised.value.details["line"])


async def test_printed_text_is_bounded(sandbox: SandboxedCode) -> None:
    """Printing without end costs a bounded log."""
    lines: list[str] = []

    await sandbox.run(
        "for i in range(20000): print('x' * 20)", {}, timeout_s=5, memory_bytes=32 * MB, say=lines.append
    )

    assert sum(map(len, lines)) <= PRINTED_BYTES + 100
    assert "left out" in lines[-1]


async def test_printed_lines_come_while_the_code_runs(sandbox: SandboxedCode) -> None:
    """Each line is handed over in the caller's event loop, before the code has ended."""
    loop, first = asyncio.get_running_loop(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def say(line: str) -> None:
        loops.append(asyncio.get_running_loop())
        first.set()

    running = asyncio.create_task(
        sandbox.run("print(1)\nwhile True: pass", {}, timeout_s=15, memory_bytes=32 * MB, say=say)
    )
    await first.wait()
    is_running = not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert ([loop], True) == (loops, is_running)


async def test_node_hands_names_and_logs(sandbox: SandboxedCode) -> None:
    """The Python node binds its input and names, and what is printed goes to the log."""
    config = {"code": "print('adding')\ninput['a'] + more", "names": {"more": 2}}
    context = node_context(config, input={"a": 1}, code=sandbox)

    completion = await Python().run(context)

    assert (3, ["adding"]) == (completion.output, [line["message"] for line in context.logs])


@pytest.mark.parametrize(
    "config", [{}, {"code": " "}, {"code": "1", "language": "perl"}, {"code": "1", "names": {"a b": 1}}]
)
async def test_node_refuses(sandbox: SandboxedCode, config: Json) -> None:
    """Without code, in another language, or with impossible names, nothing runs."""
    with pytest.raises(Exception, match=r"code|Python|python") as raised:
        await Python().run(node_context(config, code=sandbox))

    assert "node.config" == getattr(raised.value, "code", None)
