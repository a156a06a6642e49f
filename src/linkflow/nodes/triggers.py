"""What begins an execution. A trigger's output is the data it was fired with."""

from linkflow.domain.node import NodeClass, NodeSpec
from linkflow.nodes.declared import Declared
from linkflow.nodes.schema import anything, either, flag, many, mapping, number, record, spelled, text, whole

MANUAL = Declared(
    NodeSpec(
        type="trigger.manual",
        title="Manual start",
        summary="Start when a person or the API asks.",
        node_class=NodeClass.TRIGGER,
        inputs=(),
        aliases=(
            "trigger_manual",
            "manual",
            "start",
            "trigger.start",
            "manualTrigger",
            "n8n-nodes-base.manualTrigger",
        ),
        parameters=record(
            spelled(
                mapping("JSON Schema that the input must satisfy; a start with another input is refused."),
                "input_schema",
                "inputSchema",
            ),
        ),
        output={"name": "Ada"},
        example={"input_schema": {"type": "object", "required": ["name"]}},
        docs="The output is the input of the start, as it was given.",
    )
)

WEBHOOK = Declared(
    NodeSpec(
        type="trigger.webhook",
        title="Webhook",
        summary="Start when an HTTP request arrives at the workflow's own address.",
        node_class=NodeClass.TRIGGER,
        inputs=(),
        aliases=(
            "trigger_webhook",
            "HTTP_WEBHOOK",
            "webhook",
            "trigger.http",
            "jobsprintWebhookHandler",
            "n8n-nodes-base.webhook",
        ),
        parameters=record(
            {
                **spelled(
                    either("Methods that are accepted.", {"type": "string"}, many("", {"type": "string"})),
                    "methods",
                    "method",
                    "httpMethod",
                ),
                "path": text("A readable end of the address, which itself is made at activation."),
                **spelled(
                    text(
                        "When the caller is answered: at once (202), at the end, or by a respond node.",
                        default="immediately",
                        choices=("immediately", "wait", "respond", "onReceived", "lastNode", "responseNode"),
                    ),
                    "response_mode",
                    "responseMode",
                ),
                **spelled(
                    whole("Status of the answer.", default=202, least=200, most=599),
                    "response_status",
                    "responseStatus",
                    "responseCode",
                ),
                **spelled(
                    number("Seconds that `wait` and `respond` wait.", default=30, least=0, most=300),
                    "timeout_s",
                ),
                "signature": record(
                    {
                        "preset": text("Whose signature it is: generic, github, stripe, slack, standard, …"),
                        "secret": text("The shared secret, as `{{credential.name}}`."),
                        "header": text("Name of the header for the generic preset."),
                        "algorithm": text("sha256, sha1 or sha512."),
                        "prefix": text("What stands before the digest."),
                        "encoding": text("hex or base64."),
                    },
                    description="How the sender proves who it is; a request that does not is answered 401.",
                ),
                "auth": mapping("Basic, bearer or header authentication of the sender."),
                "schema": mapping("JSON Schema of the body; another body is answered 400."),
                "mapping": mapping("Fields of the trigger's data as expressions over headers, query, body."),
                **spelled(
                    text("Expression or header that names a delivery, so that a repeat starts nothing."),
                    "dedup_key",
                    "dedupKey",
                ),
            }
        ),
        output={
            "headers": {"content-type": "application/json"},
            "query": {},
            "body": {"ref": "refs/heads/main"},
            "method": "POST",
            "ip": "203.0.113.7",
            "path": "",
        },
        example={
            "methods": ["POST"],
            "signature": {"preset": "github", "secret": "{{credential.github.secret}}"},
        },
    )
)

SCHEDULE = Declared(
    NodeSpec(
        type="trigger.schedule",
        title="Schedule",
        summary="Start at set times, by cron or interval, in a time zone.",
        node_class=NodeClass.TRIGGER,
        inputs=(),
        aliases=(
            "trigger_schedule",
            "SCHEDULED",
            "schedule",
            "trigger.cron",
            "cron",
            "scheduler:time_based",
            "n8n-nodes-base.scheduleTrigger",
            "n8n-nodes-base.cron",
        ),
        parameters=record(
            {
                **spelled(
                    text("Cron with 5 or 6 fields, or @hourly, @daily, @weekly, @monthly."),
                    "cron",
                    "cronExpression",
                    "cron_expression",
                ),
                **spelled(
                    number("Seconds between two starts, instead of cron.", least=1), "interval_s", "interval"
                ),
                "timezone": text("IANA time zone.", default="UTC"),
                **spelled(text("No start before this instant."), "start_at", "startDate", "start_date"),
                **spelled(text("No start after this instant."), "end_at", "endDate", "end_date"),
                **spelled(whole("No more starts than this.", least=1), "max_executions", "maxExecutions"),
                "misfire": text(
                    "Starts missed while LinkFlow was down: none, the last, or all of them follow.",
                    default="once",
                    choices=("skip", "once", "all"),
                ),
                "skipMissed": flag("The same as `misfire: skip`."),
                "input": anything("Data of each start."),
            }
        ),
        output={"scheduled_time": "2030-01-31T09:00:00Z", "execution_time": "2030-01-31T09:00:00.204Z"},
        example={"cron": "0 9 * * 1-5", "timezone": "Africa/Nairobi"},
    )
)

EVENT = Declared(
    NodeSpec(
        type="trigger.event",
        title="Event",
        summary="Start when an event of a name is published.",
        node_class=NodeClass.TRIGGER,
        inputs=(),
        aliases=("trigger_event", "trigger", "event"),
        parameters=record(
            {
                **spelled(text("Name of the event, such as order.paid."), "event", "eventType", "event_type"),
                **spelled(
                    anything("Fields that the event's data must have, with their values."),
                    "filter",
                    "eventFilter",
                    "event_filter",
                ),
            }
        ),
        output={"event": "order.paid", "data": {"id": 7}},
        example={"event": "order.paid", "filter": {"currency": "KES"}},
    )
)

ERROR = Declared(
    NodeSpec(
        type="trigger.error",
        title="Error",
        summary="Start when an execution of another workflow fails.",
        node_class=NodeClass.TRIGGER,
        inputs=(),
        aliases=("trigger_error", "errorTrigger", "n8n-nodes-base.errorTrigger"),
        parameters=record({}),
        output={
            "error": {"code": "http.status", "kind": "permanent", "message": "The server answered 404."},
            "execution": {"id": "…", "workflow_id": "…"},
            "node": {"id": "fetch"},
        },
        example={},
        docs="A workflow names its error workflow in its settings; an error workflow never starts another.",
    )
)

TRIGGERS = (MANUAL, WEBHOOK, SCHEDULE, EVENT, ERROR)
