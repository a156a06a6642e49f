"""What each kind of n8n node becomes here: type, config, and the handles that its outputs are.

A kind that is not listed keeps its type and its parameters, and a note says so; the check then stops the
workflow from running until somebody has replaced it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.n8n.conditions import compared, conditions_of, one_rule
from linkflow.domain.workflow.n8n.data import Say, is_whole
from linkflow.domain.workflow.n8n.requests import asked, authentication, table, text_of
from linkflow.domain.workflow.n8n.schedules import crontab, schedule
from linkflow.domain.workflow.n8n.step import Made, Step, parsed
from linkflow.domain.workflow.n8n.values import (
    aggregate_of,
    code_of,
    dedupe_of,
    limit_of,
    set_of,
    sort_of,
    split_of,
)


def made_of(step: Step) -> Made:
    """Find what a node becomes; its own type where there is no counterpart."""
    known = KINDS.get(step.node.kind) if _is_builtin(step.node.type) else None
    if known is None:
        step.say(
            "UNKNOWN_NODE_TYPE",
            f"'{step.node.name}' of type {step.node.type} has no counterpart here. It is kept with its "
            "parameters, and nothing runs before it is replaced.",
        )
        config = {**step.given, **authentication({}, step.node, step.say)}
        return Made(step.node.type, config, is_known=False)
    return known(step)


def _is_builtin(name: str) -> bool:
    return name.startswith("n8n-nodes-base.") or "." not in name


# --- triggers ---


def _webhook(step: Step) -> Made:
    given = step.given
    modes = {"lastNode": "wait", "responseNode": "respond"}
    code = step.options.get("responseCode", given.get("responseCode"))
    if isinstance(code, dict):
        code = (code.get("values") or {}).get("responseCode")
    config: dict[str, Json] = {
        "methods": given.get("httpMethod") or "GET",
        "path": text_of(given.get("path")),
        "response_mode": modes.get(str(given.get("responseMode")), "immediately"),
        "response_status": code if isinstance(code, int) and 200 <= code <= 599 else 200,
    }
    kind = given.get("authentication") or "none"
    if kind != "none":
        config["auth"] = {"type": {"basicAuth": "basic"}.get(kind, "header")}
        step.say("CREDENTIAL", f"The webhook asked for {kind}; say again who may call it ('auth').")
    if given.get("multipleMethods"):
        step.say("OUTPUTS", "Each method had an output of its own; here all of them go on together.")
    step.left_out("responseCode")
    methods = config["methods"]
    return Made("trigger.webhook", config, ("",) * (len(methods) if isinstance(methods, list) else 1))


def _triggered(step: Step, listed: Any, read: Callable[[Mapping[str, Any], Say], dict[str, Json]]) -> Made:
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if len(found) > 1:
        step.say("SCHEDULE", f"Of {len(found)} times only the first is kept; add a trigger for each other.")
    return Made("trigger.schedule", read(found[0] if found else {}, step.say))


def _schedule(step: Step) -> Made:
    rule = step.given.get("rule")
    return _triggered(step, rule.get("interval") if isinstance(rule, dict) else None, schedule)


def _cron(step: Step) -> Made:
    times = step.given.get("triggerTimes")
    return _triggered(step, times.get("item") if isinstance(times, dict) else None, crontab)


def _interval(step: Step) -> Made:
    unit = str(step.given.get("unit") or "seconds")
    return Made(
        "trigger.schedule",
        schedule({"field": unit, f"{unit}Interval": step.given.get("interval", 1)}, step.say),
    )


# --- the way through ---


def _if(step: Step) -> Made:
    conditions, combine = conditions_of(step.given.get("conditions"), step.say)
    if step.given.get("combineOperation") == "any" or step.given.get("combineConditions") == "OR":
        combine = "or"
    step.left_out("looseTypeValidation", "ignoreCase")
    return Made("logic.condition", {"conditions": conditions, "combine": combine}, ("true", "false"))


def _filter(step: Step) -> Made:
    if not step.is_list:  # one item that passes or does not: a condition without the other way
        made = _if(step)
        return msgspec.structs.replace(made, outputs=("true",))
    conditions, combine = conditions_of(step.given.get("conditions"), step.say)
    condition = one_rule(conditions, combine, step.say)
    left = condition.pop("left")
    prefix = f"{{{{ {step.data.words}."
    if isinstance(left, str) and left.startswith(prefix) and len(conditions) == 1:
        condition["field"] = left.removeprefix(prefix).removesuffix("}}").strip()
    else:
        step.say("ITEMS", "The filter looked at each item; write its condition over 'item'.")
    return Made("data.filter", {"items": step.items(), "conditions": [condition]})


def _switch(step: Step) -> Made:
    given = step.given
    if given.get("mode") == "expression":
        count = given.get("numberOutputs", given.get("outputsAmount", 4))
        names = [str(at) for at in range(count if isinstance(count, int) else 4)]
        cases: list[Json] = [{"value": int(name), "output": name} for name in names]
        return Made("logic.switch", {"value": given.get("output"), "cases": cases}, tuple(names))
    older = table(given.get("rules"), "rules")
    if older:
        return _older_switch(step, older)
    rules: list[Json] = []
    for at, rule in enumerate(table(given.get("rules"), "values")):
        named = text_of(rule.get("outputKey")) if rule.get("renameOutput") else ""
        condition = one_rule(*conditions_of(rule.get("conditions"), step.say), step.say)
        rules.append({**condition, "output": named or str(at)})
    outputs = [str(rule["output"]) for rule in rules]
    config: dict[str, Json] = {"rules": rules}
    fallback = step.options.get("fallbackOutput")
    if isinstance(fallback, int) and fallback < len(outputs):
        config["default_output"] = outputs[fallback]
    if step.options.get("allMatchingOutputs"):
        config["all_matching"] = True
    step.left_out(
        "fallbackOutput", "allMatchingOutputs", "renameFallbackOutput", "ignoreCase", "looseTypeValidation"
    )
    return Made("logic.switch", config, (*outputs, "default"))


def _older_switch(step: Step, listed: list[Mapping[str, Any]]) -> Made:
    rules: list[Json] = []
    for at, rule in enumerate(listed):
        condition = compared(
            step.given.get("value1"), rule.get("operation") or "equal", rule.get("value2"), step.say
        )
        rules.append({**condition, "output": str(rule.get("output", at))})
    config: dict[str, Json] = {"rules": rules}
    fallback = step.given.get("fallbackOutput", -1)
    if isinstance(fallback, int) and fallback >= 0:
        config["default_output"] = str(fallback)
    return Made("logic.switch", config, ("0", "1", "2", "3"))


def _loop(step: Step) -> Made:
    version = step.node.version
    size = step.given.get("batchSize", 1 if version >= 3 else 10)
    if size != 1:
        step.say("ITEMS", "A batch holds several items: in the body, 'loop.item' is their list.")
    config: dict[str, Json] = {"items": step.items(), "batch_size": size}
    step.left_out()
    return Made("logic.loop", config, ("done", "body") if version >= 3 else ("body", "done"))


def _merge(step: Step) -> Made:
    mode = str(step.given.get("mode") or "append")
    how = str(step.given.get("combineBy") or step.given.get("combinationMode") or "")
    found = {
        "append": "append",
        "chooseBranch": "choose",
        "passThrough": "choose",
        "multiplex": "multiplex",
        "mergeByIndex": "merge_by_position",
        "wait": "wait",
    }.get(mode)
    if mode == "combine":
        found = {
            "combineByPosition": "merge_by_position",
            "mergeByPosition": "merge_by_position",
            "combineAll": "multiplex",
            "multiplex": "multiplex",
        }.get(how)
    if found is None:
        step.say(
            "MERGE", f"Joining by '{how or mode}' has no counterpart; the inputs are combined field by field."
        )
    if found == "merge_by_position" and not step.is_list:
        found = "combine"  # one item each: one object
    step.left_out()
    return Made("logic.merge", {"mode": found or "combine"})


def _wait(step: Step) -> Made:
    given = step.given
    resume = given.get("resume") or "timeInterval"
    if resume == "specificTime":
        return Made("logic.delay", {"until": given.get("dateTime", "")})
    if resume in ("webhook", "form"):
        step.say(
            "WAIT", f"It waited for a {resume} of its own; here it waits for the event '{step.node.id}'."
        )
        return Made("logic.wait_event", {"event": step.node.id})
    older = step.node.version < 1.1
    amount, unit = given.get("amount", 1 if older else 5), given.get("unit", "hours" if older else "seconds")
    return Made("logic.delay", {"duration": amount, "unit": unit})


def _respond(step: Step) -> Made:
    given = step.given
    kind = given.get("respondWith") or "firstIncomingItem"
    body: Json = given.get("responseBody")
    if kind in ("firstIncomingItem", "allIncomingItems"):
        body = f"{{{{ {step.data.words} }}}}" if kind == "firstIncomingItem" else step.items()
    elif kind == "json":
        body = parsed(body)
    elif kind in ("noData", "redirect"):
        body = ""
    elif kind != "text":
        step.say("RESPONSE", f"Answering with '{kind}' has no counterpart; the body is sent as it stands.")
    code = step.options.get("responseCode", 302 if kind == "redirect" else 200)
    headers = {
        text_of(each.get("name")): each.get("value")
        for each in table(step.options.get("responseHeaders"), "entries")
    }
    if kind == "redirect":
        headers["Location"] = given.get("redirectURL")
    step.left_out("responseCode", "responseHeaders")
    return Made(
        "webhook.respond", {"status_code": code, "body": body} | ({"headers": headers} if headers else {})
    )


def _sub_workflow(step: Step) -> Made:
    chosen = text_of(step.given.get("workflowId"))
    step.say(
        "REFERENCE", f"It runs the workflow '{chosen}'; choose it again unless it is imported with this one."
    )
    config: dict[str, Json] = {"workflow_id": chosen, "input": f"{{{{ {step.data.words} }}}}"}
    inputs = step.given.get("workflowInputs")
    if isinstance(inputs, dict) and isinstance(inputs.get("value"), dict) and inputs["value"]:
        config["input"] = inputs["value"]
    if step.options.get("waitForSubWorkflow") is False:
        config["mode"] = "fire_and_forget"
    step.left_out("waitForSubWorkflow")
    return Made("flow.sub_workflow", config)


def _stop(step: Step) -> Made:
    given = step.given
    return Made(
        "logic.throw_error", {"message": given.get("errorMessage") or text_of(given.get("errorObject"))}, ()
    )


def _request(step: Step) -> Made:
    config = asked(step.given, step.node, step.say, parsed)
    config |= authentication(step.given, step.node, step.say)
    if is_whole(step.node):
        step.say(
            "RESPONSE", "Status and headers are beside the body, as in n8n; 'statusMessage' is not there."
        )
    return Made("http.request", config)


KINDS: Mapping[str, Callable[[Step], Made]] = {
    "webhook": _webhook,
    "scheduleTrigger": _schedule,
    "cron": _cron,
    "interval": _interval,
    "manualTrigger": lambda step: Made("trigger.manual"),
    "start": lambda step: Made("trigger.manual"),
    "executeWorkflowTrigger": lambda step: Made("trigger.manual"),
    "errorTrigger": lambda step: Made("trigger.error"),
    "httpRequest": _request,
    "if": _if,
    "filter": _filter,
    "switch": _switch,
    "splitInBatches": _loop,
    "merge": _merge,
    "wait": _wait,
    "noOp": lambda step: Made("logic.noop"),
    "respondToWebhook": _respond,
    "executeWorkflow": _sub_workflow,
    "stopAndError": _stop,
    "set": set_of,
    "aggregate": aggregate_of,
    "sort": sort_of,
    "limit": limit_of,
    "removeDuplicates": dedupe_of,
    "splitOut": split_of,
    "code": code_of,
    "function": code_of,
    "functionItem": code_of,
}
"""What has a counterpart, by the type's last word."""
