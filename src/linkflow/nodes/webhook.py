"""The answer to who called in."""

from collections.abc import Mapping

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json
from linkflow.nodes.http_body import pairs
from linkflow.nodes.schema import anything, either, many, mapping, record, spelled, whole


class Respond:
    """Answer who called the workflow's webhook."""

    spec = NodeSpec(
        type="webhook.respond",
        title="Respond",
        summary="Answer the request that started the execution.",
        node_class=NodeClass.PURE,
        is_responder=True,
        aliases=(
            "action.respond",
            "action.respondWebhook",
            "HTTP Response",
            "webhook_respond",
            "respond",
            "n8n-nodes-base.respondToWebhook",
        ),
        parameters=record(
            {
                **spelled(
                    whole("Status of the answer.", default=200, least=200, most=599),
                    "status_code",
                    "statusCode",
                    "status",
                    "responseCode",
                ),
                "headers": either("Headers of the answer.", mapping(""), many(""), {"type": "null"}),
                **spelled(
                    anything("Body of the answer; without it, the input."), "body", "responseBody", "data"
                ),
            }
        ),
        output={"status_code": 200, "headers": {}, "body": {"done": True}},
        example={"status_code": 201, "body": {"id": "{{node_save.output.body.id}}"}},
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Build the answer."""
        status = config.get("status_code", 200)
        try:
            code = int(status)
        except (TypeError, ValueError):
            code = 0
        if not 200 <= code <= 599:
            raise Invalid(
                f"{str(status)[:20]!r} is not a status of an answer, 200 to 599.", code="node.config"
            )
        body = config["body"] if "body" in config else context.input  # noqa: SIM401  the input may be large
        return PureResult(
            output={"status_code": code, "headers": dict(pairs(config.get("headers"))), "body": body}
        )


WEBHOOK = (Respond(),)
