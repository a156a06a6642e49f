"""Branching: condition, switch, and the two that do nothing and fail on purpose."""

from collections.abc import Mapping, Sequence
from typing import Any

from linkflow.domain.errors import ActivityError, Invalid, Kind
from linkflow.domain.handles import DEFAULT_FIELDS, entry_handles, handle_text
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json
from linkflow.nodes.comparison import OPERATORS, all_hold, equal, holds
from linkflow.nodes.fields import ABSENT, field, operand
from linkflow.nodes.schema import anything, either, flag, many, mapping, record, spelled, text

CONDITION = record(
    {
        "field": anything("A path into the input, such as `user.age`, or an expression."),
        "left": anything("Instead of `field`: a value or an expression."),
        **spelled(text("How to compare.", default="equals"), "operator", "operation", "op"),
        "value": anything("What to compare with: a value or an expression."),
        "right": anything("The same as `value`."),
    }
)
"""One comparison; `docs` lists the operators."""

OPERATOR_DOCS = (
    "Operators: "
    + ", ".join(f"`{name}`" for name in OPERATORS)
    + (". Usual spellings such as `==`, `gt`, `notContains` and `isEmpty` are understood.")
)


class Condition:
    """Take `true` or `false` by comparisons or one expression."""

    spec = NodeSpec(
        type="logic.condition",
        title="Condition",
        summary="Go one way or the other.",
        node_class=NodeClass.PURE,
        outputs=("true", "false"),
        dynamic_outputs=True,
        aliases=(
            "logic_condition",
            "condition",
            "logic.if",
            "CONDITION",
            "If/Else",
            "if",
            "n8n-nodes-base.if",
        ),
        parameters=record(
            {
                "conditions": many("Comparisons; an entry's `output` names a further handle.", CONDITION),
                **spelled(
                    text("Whether all of them must hold, or one of them is enough.", default="and"),
                    "combine",
                    "combineWith",
                    "combine_with",
                    "combinator",
                    "combineOperation",
                    "logic",
                ),
                **spelled(
                    either(
                        "Instead of comparisons: one expression.", {"type": "string"}, {"type": "boolean"}
                    ),
                    "expression",
                    "condition",
                ),
                **CONDITION["properties"],
            }
        ),
        raw=("conditions", "expression", "field", "left", "right", "value"),
        output={"result": True, "branch": "true", "matched": [0]},
        example={"conditions": [{"field": "age", "operator": "gte", "value": 18}], "combine": "and"},
        docs="Three shapes: a list `conditions`, one comparison in the config itself, or an `expression`. "
        "`matched` lists the indexes of the comparisons that hold.\n\n" + OPERATOR_DOCS,
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Compare, and take the handle of the result."""
        conditions = config.get("conditions")
        if conditions is None:
            return _branch(self._single(config, context), [], ())
        result, matched = all_hold(entries(conditions), config.get("combine"), context, context.input)
        named = [output for i in matched if isinstance(output := conditions[i].get("output"), str) and output]
        return _branch(result, matched, named if result else ())

    def _single(self, config: Mapping[str, Json], context: PureContext) -> bool:
        expression = config.get("expression")
        if isinstance(expression, bool):
            return expression
        if isinstance(expression, str):
            found = context.evaluate(expression)
            return found.strip().lower() not in ("", "false", "0") if isinstance(found, str) else bool(found)
        if "field" in config or "left" in config:
            return holds(config, context, context.input)
        raise Invalid(
            "A condition needs `conditions`, one comparison or an `expression`.", code="node.config"
        )


def entries(value: Any) -> Sequence[Mapping[str, Json]]:
    """See a list of objects as such.

    Raises:
        Invalid: `node.config`: it is something else.
    """
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise Invalid("Conditions, rules and cases are a list of objects.", code="node.config")


def _branch(result: bool, matched: list[int], named: Sequence[str]) -> PureResult:
    branch = "true" if result else "false"
    return PureResult(
        output={"result": result, "branch": branch, "matched": matched},
        handles=(branch, *named) if named else (branch,),
    )


class Switch:
    """Take the handle of the first case that fits."""

    spec = NodeSpec(
        type="logic.switch",
        title="Switch",
        summary="Go one of many ways, by a value or by rules.",
        node_class=NodeClass.PURE,
        outputs=("default",),
        dynamic_outputs=True,
        aliases=("logic_switch", "switch", "SWITCH", "n8n-nodes-base.switch"),
        parameters=record(
            {
                **spelled(
                    anything("The value that the cases are compared with."),
                    "value",
                    "switch_value",
                    "switchValue",
                ),
                "field": text("Instead of `value`: a path into the input."),
                "cases": either(
                    "Cases in order: values, or objects with `value` and the handle's name as `output`; "
                    "or an object from value to handle.",
                    many("", anything("")),
                    mapping(""),
                ),
                "rules": many(
                    "Instead of cases: comparisons, each with its handle's name as `output`.",
                    record({**CONDITION["properties"], "output": text("Handle taken when it holds.")}),
                ),
                **spelled(text("Handle when nothing fits.", default="default"), *DEFAULT_FIELDS),
                **spelled(
                    flag("Take every case that fits, not only the first.", default=False),
                    "all_matching",
                    "allMatchingOutputs",
                ),
            }
        ),
        raw=("rules", "field"),
        output={"matched": "gold", "outputIndex": 0, "output_index": 0, "value": "gold"},
        example={
            "value": "{{trigger.tier}}",
            "cases": [{"value": "gold", "output": "gold"}, {"value": "silver", "output": "silver"}],
        },
        docs="An edge may name the case's `output`, its `label` or its value; without a fit, `default` is "
        "taken.\n\n" + OPERATOR_DOCS,
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Find the case, and take its handle."""
        value = self._value(config, context)
        cases = _cases(config)
        rules = config.get("rules")
        fits = [i for i, case in enumerate(cases) if equal(case.get("value"), value)]
        if rules and not cases:
            cases = entries(rules)
            fits = [i for i, rule in enumerate(cases) if holds(rule, context, context.input)]
        if not config.get("all_matching"):
            fits = fits[:1]
        if not fits:
            default = config.get("default_output") or "default"
            output = {"matched": None, "outputIndex": -1, "output_index": -1, "value": value}
            return PureResult(output=output, handles=tuple({"default": 1, handle_text(default): 1}))
        handles = [handle for i in fits for handle in (*_handles(cases[i], is_rule=bool(rules)), str(i))]
        output = {"matched": handles[0], "outputIndex": fits[0], "output_index": fits[0], "value": value}
        return PureResult(output=output, handles=tuple(dict.fromkeys(handles)))

    def _value(self, config: Mapping[str, Json], context: PureContext) -> Json:
        path = config.get("field")
        if isinstance(path, str) and path:
            found = operand(path, context) if "{{" in path else field(context.input, path)
            return None if found is ABSENT else found
        return config.get("value")


def _cases(config: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    cases = config.get("cases") or ()
    if isinstance(cases, Mapping):
        return [{"value": value, "output": output} for value, output in cases.items()]
    return [case if isinstance(case, Mapping) else {"value": case} for case in cases]


def _handles(case: Mapping[str, Json], *, is_rule: bool) -> Sequence[str]:
    if is_rule:  # its `value` is what it compares with, not a name
        case = {name: case[name] for name in ("output", "handle", "label", "name") if name in case}
    return entry_handles(case)


class Noop:
    """Do nothing: the input goes on."""

    spec = NodeSpec(
        type="logic.noop",
        title="Nothing",
        summary="Pass the input on.",
        node_class=NodeClass.PURE,
        aliases=("noop", "logic_noop", "NOOP", "n8n-nodes-base.noOp"),
        parameters=record({}),
        output={"the": "input"},
        example={},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Pass the input on."""
        return PureResult(output=context.input)


class ThrowError:
    """Fail on purpose."""

    spec = NodeSpec(
        type="logic.throw_error",
        title="Throw error",
        summary="Fail with a message, so that error handling takes over.",
        node_class=NodeClass.PURE,
        aliases=(
            "logic.throwError",
            "action.stopError",
            "throw_error",
            "stop_error",
            "n8n-nodes-base.stopAndError",
        ),
        parameters=record(
            {
                **spelled(
                    text("What went wrong, for people.", default="The workflow stopped on purpose."),
                    "message",
                    "errorMessage",
                    "error_message",
                    "error",
                ),
                **spelled(
                    text("Code of the error.", default="workflow.error"), "code", "errorCode", "error_code"
                ),
                "details": mapping("Facts that help."),
            }
        ),
        outputs=(),
        output=None,
        example={"message": "Order {{trigger.order_id}} has no items.", "code": "order.empty"},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Raise the configured error."""
        message = config.get("message")
        details = config.get("details")
        raise ActivityError(
            handle_text(message) if message is not None else "The workflow stopped on purpose.",
            code=handle_text(config.get("code") or "workflow.error"),
            kind=Kind.PERMANENT,
            **({"data": details} if details else {}),
        )


LOGIC = (Condition(), Switch(), Noop(), ThrowError())
