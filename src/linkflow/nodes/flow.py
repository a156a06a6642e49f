"""Calls between workflows: run another one, and give the execution's result."""

from collections.abc import Mapping

from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json
from linkflow.nodes.declared import Declared
from linkflow.nodes.schema import anything, either, flag, record, spelled, text

SUB_WORKFLOW = Declared(
    NodeSpec(
        type="flow.sub_workflow",
        title="Sub-workflow",
        summary="Run another workflow, and wait for its result or not.",
        node_class=NodeClass.CONTROL,
        aliases=(
            "action.sub_workflow",
            "action.subworkflow",
            "action.execute_workflow",
            "flow.subworkflow",
            "sub_workflow",
            "n8n-nodes-base.executeWorkflow",
        ),
        parameters=record(
            {
                **spelled(text("The workflow to run."), "workflow_id", "workflowId", "workflow"),
                "mode": text(
                    "Whether to wait for its end.", default="wait", choices=("wait", "fire_and_forget")
                ),
                **spelled(
                    anything("Its trigger data; without it, this node's input."),
                    "input",
                    "inputData",
                    "input_data",
                ),
                **spelled(flag("Hand this node's input on.", default=True), "pass_input", "passInput"),
                **spelled(
                    either("Seconds to wait at most.", {"type": "number"}, {"type": "string"}),
                    "timeout_s",
                    "timeout",
                ),
                **spelled(
                    text(
                        "What happens to it when this execution closes first.",
                        default="cancel",
                        choices=("cancel", "abandon", "wait"),
                    ),
                    "parent_close",
                    "parentClose",
                ),
            }
        ),
        output={"the": "result of the other workflow"},
        example={"workflow_id": "5f0c…", "mode": "wait", "input": {"order": "{{trigger.order}}"}},
        docs="A failure of the other workflow is this node's failure, with its error inside. "
        'Without waiting, the output is `{"execution_id": …}`.',
    )
)


class Output:
    """Give the execution's result."""

    spec = NodeSpec(
        type="flow.output",
        title="Output",
        summary="Set the result of the execution.",
        node_class=NodeClass.PURE,
        is_responder=True,
        aliases=("flow_output", "output", "action.output", "flow.return"),
        parameters=record(
            spelled(anything("The result; without it, the input."), "value", "output", "data", "result")
        ),
        output={"the": "value"},
        example={"value": {"total": "{{node_sum.output.value}}"}},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Give the value, or the input when there is none."""
        if "value" in config:
            return PureResult(output=config["value"])
        return PureResult(output=context.input)  # read only when it is needed: it may be large


FLOW = (SUB_WORKFLOW, Output())
