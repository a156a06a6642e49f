"""Code of the user's own."""

from collections.abc import Mapping

from linkflow.domain.errors import Invalid
from linkflow.domain.node import Completion, NodeClass, NodeSpec
from linkflow.domain.values import Json
from linkflow.nodes.schema import mapping, number, record, spelled, text, whole
from linkflow.ports.nodes import NodeContext

TIMEOUT_S = 10.0
MEMORY_MB = 64


class Python:
    """Run Python in the sandbox."""

    spec = NodeSpec(
        type="code.python",
        title="Python",
        summary="Compute something in Python, without files, network or the machine's modules.",
        node_class=NodeClass.IDEMPOTENT,
        timeout_s=60.0,
        aliases=(
            "transform_code",
            "code",
            "action_code",
            "action.code",
            "action.function",
            "action_script",
            "code_python",
            "python",
        ),
        parameters=record(
            {
                **spelled(
                    text("Python source; expressions in it are left alone."), "code", "source", "functionCode"
                ),
                **spelled(
                    mapping("Further names and their values; expressions are resolved."),
                    "names",
                    "inputs",
                    "args",
                ),
                "language": text("Only python.", default="python"),
                **spelled(
                    number("Seconds the code may run.", default=TIMEOUT_S, least=0.01, most=300),
                    "timeout_s",
                    "timeout",
                ),
                **spelled(
                    whole("Megabytes the code may use.", default=MEMORY_MB, least=1, most=1024),
                    "memory_mb",
                    "memoryMb",
                ),
            },
            required=("code",),
        ),
        raw=("code",),
        output={"total": 42},
        example={
            "code": "sum(item['price'] * item['count'] for item in order['items'])",
            "names": {"order": "{{trigger.body.order}}"},
        },
        docs="""\
The value of the node is the last expression, what `return` gives, or the name `result`.
It must have a JSON form: objects, lists, text, finite numbers, true, false, null; sets become lists and dates
ISO text.

`input` is the node's input; `names` adds more, which is how the trigger or another node's output comes in:
`{"trigger": "{{trigger}}"}`. What is printed goes to the log;
each line is a sign of life for `heartbeatTimeout`.

The interpreter is not CPython: it has the language without generators and inheritance, and of the standard
library `math`, `json`, `re`, `datetime`, `random`, `itertools` and a few more. Time, memory and recursion are
bounded: `code.timeout`, `code.memory` and `code.error` say which bound was met.""",
    )

    async def run(self, context: NodeContext) -> Completion:
        """Run the code once."""
        config = context.config
        source = config.get("code")
        if not isinstance(source, str) or not source.strip():
            raise Invalid("There is no code to run.", code="node.config")
        language = str(config.get("language") or "python").lower()
        if language not in ("python", "py", "python3"):
            raise Invalid(f"Code is written in python here, not in {language[:20]}.", code="node.config")
        value = await context.code.run(
            source,
            _names(config, context.input),
            timeout_s=min(float(config.get("timeout_s") or TIMEOUT_S), context.timeout_s),
            memory_bytes=int(config.get("memory_mb") or MEMORY_MB) * 1024 * 1024,
            say=context.log,
        )
        return Completion(output=value)


def _names(config: Mapping[str, Json], given: Json) -> Mapping[str, Json]:
    names = {"input": given, **(config.get("names") or {})}
    for name in names:
        if not name.isidentifier() or name.startswith("__"):
            raise Invalid(f"{name[:40]!r} cannot be a name in Python.", code="node.config")
    return names


CODE = (Python(),)
