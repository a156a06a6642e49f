"""What each route asks of its caller, in one table. A route that is not in it is refused to everybody.

`open`: no sign-in. `signed-in`: any member of the workspace, keys too. `account`: the user in person, no key.
`operator`: the user who runs this installation, in person. All else is a permission of `domain.access`.
"""

from collections.abc import Mapping

OPEN, SIGNED_IN, ACCOUNT, OPERATOR = "open", "signed-in", "account", "operator"

_TABLE = """
GET    /health                                                                  open
GET    /ready                                                                   open
GET    /metrics                                                                 open
POST   /webhooks/{webhook_id}                                                   open
GET    /api/v1/resume/{token}                                                   open
GET    /api/v1/resume/{token}/status                                            open
POST   /api/v1/resume/{token}                                                   open
POST   /api/v1/jobs/callback                                                    open
POST   /api/v1/jobs/progress                                                    open

GET    /.well-known/jwks.json                                                   open
GET    /.well-known/oauth-authorization-server                                  open
GET    /oauth/authorize                                                         open
POST   /oauth/authorize                                                         open
POST   /oauth/token                                                             open
POST   /oauth/revoke                                                            open
POST   /oauth/introspect                                                        open
GET    /api/v1/oauth/clients                                                    apikey.manage
POST   /api/v1/oauth/clients                                                    apikey.manage
DELETE /api/v1/oauth/clients/{client_id}                                        apikey.manage

POST   /api/v1/auth/register                                                    open
POST   /api/v1/auth/login                                                       open
POST   /api/v1/auth/refresh                                                     open
POST   /api/v1/auth/forgot-password                                             open
GET    /api/v1/auth/reset-password                                              open
POST   /api/v1/auth/reset-password                                              open
GET    /api/v1/auth/verify-email/{user_id}/{token}                              open
POST   /api/v1/auth/verify-email/{user_id}/{token}                              open
POST   /api/v1/auth/resend-verification-email                                   open
POST   /api/v1/auth/owner-password                                              open
GET    /api/v1/auth/oauth                                                       open
POST   /api/v1/auth/oauth/puter                                                 open
POST   /api/v1/auth/oauth/exchange                                              open
GET    /api/v1/auth/oauth/{provider}                                            open
GET    /api/v1/auth/oauth/{provider}/callback                                   open
POST   /api/v1/auth/logout                                                      account
GET    /api/v1/auth/me                                                          signed-in
GET    /api/v1/auth/sign-ins                                                    account
DELETE /api/v1/auth/sign-ins                                                    account
DELETE /api/v1/auth/sign-ins/{sign_in_id}                                       account
POST   /api/v1/auth/change-password                                             account
PUT    /api/v1/auth/change-password                                             account
PUT    /api/v1/auth/me                                                          account
DELETE /api/v1/auth/me                                                          account
GET    /api/v1/auth/tokens                                                      apikey.manage
POST   /api/v1/auth/tokens                                                      apikey.manage
DELETE /api/v1/auth/tokens/{key_id}                                             apikey.manage
POST   /api/v1/users/{user_id}/ban                                              operator
POST   /api/v1/users/{user_id}/unban                                            operator

GET    /api/v1/workspaces                                                       signed-in
POST   /api/v1/workspaces                                                       account
GET    /api/v1/workspaces/{workspace_id}                                        workspace.view
PUT    /api/v1/workspaces/{workspace_id}                                        workspace.update
PATCH  /api/v1/workspaces/{workspace_id}                                        workspace.update
DELETE /api/v1/workspaces/{workspace_id}                                        workspace.delete
GET    /api/v1/members                                                          member.view
POST   /api/v1/members/leave                                                    account
PUT    /api/v1/members/{user_id}                                                member.update
DELETE /api/v1/members/{user_id}                                                member.remove
GET    /api/v1/invitations                                                      member.invite
POST   /api/v1/invitations                                                      member.invite
DELETE /api/v1/invitations/{invitation_id}                                      member.invite
GET    /api/v1/invitations/{token}                                              open
POST   /api/v1/invitations/{token}/accept                                       open
POST   /api/v1/invitations/{token}/decline                                      open

GET    /api/v1/workflows                                                        workflow.view
POST   /api/v1/workflows                                                        workflow.create
GET    /api/v1/workflows/{workflow_id}                                          workflow.view
PUT    /api/v1/workflows/{workflow_id}                                          workflow.update
PATCH  /api/v1/workflows/{workflow_id}                                          workflow.update
DELETE /api/v1/workflows/{workflow_id}                                          workflow.delete
GET    /api/v1/workflows/{workflow_id}/draft                                    workflow.view
PUT    /api/v1/workflows/{workflow_id}/draft                                    workflow.update
GET    /api/v1/workflows/{workflow_id}/versions                                 workflow.view
POST   /api/v1/workflows/{workflow_id}/versions                                 workflow.update
POST   /api/v1/workflows/{workflow_id}/publish                                  workflow.update
GET    /api/v1/workflows/{workflow_id}/versions/{number}                        workflow.view
POST   /api/v1/workflows/{workflow_id}/versions/{number}/publish                workflow.update
POST   /api/v1/workflows/{workflow_id}/versions/{number}/restore                workflow.update
POST   /api/v1/workflows/{workflow_id}/activate                                 workflow.activate
POST   /api/v1/workflows/{workflow_id}/deactivate                               workflow.activate
POST   /api/v1/workflows/{workflow_id}/clone                                    workflow.create
POST   /api/v1/workflows/{workflow_id}/duplicate                                workflow.create
POST   /api/v1/workflows/{workflow_id}/execute                                  workflow.execute
POST   /api/v1/workflows/{workflow_id}/test-run                                 workflow.execute
POST   /api/v1/workflows/{workflow_id}/pins                                     workflow.update
GET    /api/v1/workflows/{workflow_id}/nodes/{node_id}/scope                    workflow.view
GET    /api/v1/expressions/functions                                            workflow.view
POST   /api/v1/expressions/evaluate                                             workflow.view
GET    /api/v1/workflows/{workflow_id}/export                                   workflow.export
GET    /api/v1/workflows/{workflow_id}/webhooks                                 webhook.view
POST   /api/v1/workflows/export-bulk                                            workflow.export
POST   /api/v1/workflows/import                                                 workflow.import
POST   /api/v1/workflows/validate                                               workflow.view
POST   /api/v1/workflows/compile                                                workflow.view
POST   /api/v1/workflows/execute                                                workflow.execute
GET    /api/v1/workflows/executions                                             execution.view
GET    /api/v1/workflows/executions/{execution_id}                              execution.view

GET    /api/v1/executions                                                       execution.view
GET    /api/v1/executions/stats                                                 execution.view
GET    /api/v1/executions/search                                                execution.view
GET    /api/v1/executions/counts                                                execution.view
GET    /api/v1/executions/latest                                                execution.view
GET    /api/v1/workflows/{workflow_id}/stats                                    execution.view
GET    /api/v1/searches                                                         execution.view
POST   /api/v1/searches                                                         execution.view
GET    /api/v1/searches/{search_id}                                             execution.view
PUT    /api/v1/searches/{search_id}                                             execution.view
DELETE /api/v1/searches/{search_id}                                             execution.view
GET    /api/v1/search-attributes                                                execution.view
PUT    /api/v1/search-attributes/{name}                                         workflow.update
DELETE /api/v1/search-attributes/{name}                                         workflow.update
GET    /api/v1/executions/{execution_id}                                        execution.view
GET    /api/v1/executions/{execution_id}/nodes                                  execution.view
GET    /api/v1/executions/{execution_id}/events                                 execution.view
GET    /api/v1/executions/{execution_id}/logs                                   execution.view
GET    /api/v1/executions/{execution_id}/explain                                execution.view
GET    /api/v1/executions/{execution_id}/spec                                   execution.view
GET    /api/v1/executions/{execution_id}/stream                                 execution.view
GET    /api/v1/executions/{execution_id}/nodes/{key}/output                     execution.view
GET    /api/v1/executions/{execution_id}/nodes/{key}/runs/{number}/output       execution.view
POST   /api/v1/executions/bulk/cancel                                           execution.cancel
POST   /api/v1/executions/bulk/retry                                            execution.retry
POST   /api/v1/executions/{execution_id}/cancel                                 execution.cancel
POST   /api/v1/executions/{execution_id}/terminate                              execution.cancel
POST   /api/v1/executions/{execution_id}/release                                execution.retry
POST   /api/v1/executions/{execution_id}/retry                                  execution.retry
POST   /api/v1/executions/{execution_id}/signal                                 workflow.execute
POST   /api/v1/executions/{execution_id}/resolve                                approval.decide
POST   /api/v1/ws/tickets                                                       execution.view
GET    /api/v1/alerts                                                           alert.view
POST   /api/v1/alerts                                                           alert.manage
GET    /api/v1/alerts/history                                                   alert.view
GET    /api/v1/alerts/{alert_id}                                                alert.view
PUT    /api/v1/alerts/{alert_id}                                                alert.manage
DELETE /api/v1/alerts/{alert_id}                                                alert.manage
POST   /api/v1/alerts/{alert_id}/test                                           alert.manage
GET    /api/v1/alerts/{alert_id}/history                                        alert.view
GET    /api/v1/approvals                                                        execution.view
GET    /api/v1/approvals/{approval_id}                                          execution.view
POST   /api/v1/approvals/{approval_id}/decision                                 approval.decide
GET    /api/v1/approve/{token}                                                  open
POST   /api/v1/approve/{token}                                                  open
GET    /api/v1/dead-letters                                                     execution.view
GET    /api/v1/dead-letters/{letter_id}                                         execution.view
DELETE /api/v1/dead-letters/{letter_id}                                         execution.delete
POST   /api/v1/dead-letters/bulk                                                execution.retry
POST   /api/v1/dead-letters/{letter_id}/replay                                  execution.retry

GET    /api/v1/admin/cluster                                                    operator
GET    /api/v1/admin/cluster/config                                             operator
PUT    /api/v1/admin/cluster/config                                             operator
GET    /api/v1/usage                                                            workspace.view
GET    /api/v1/audit-logs                                                       audit.view
GET    /api/v1/audit-logs/export                                                audit.view
GET    /api/v1/audit-logs/verify                                                audit.view
GET    /api/v1/usage/limits                                                     workspace.view
GET    /api/v1/plans                                                            signed-in
PUT    /api/v1/admin/plans                                                      operator
GET    /api/v1/budgets                                                          workspace.view
PUT    /api/v1/budgets/{period}                                                 workspace.update
DELETE /api/v1/budgets/{period}                                                 workspace.update
POST   /api/v1/executions/{execution_id}/budget                                 approval.decide
GET    /api/v1/admin/scheduler                                                  operator
GET    /api/v1/admin/queues                                                     operator
GET    /api/v1/admin/backlogs                                                   operator
POST   /api/v1/admin/backlogs/{name}/retry                                      operator
POST   /api/v1/admin/scheduler/duties/{name}/run                                operator
GET    /api/v1/admin/scheduler/runs/{run_id}                                    operator

GET    /api/v1/webhooks                                                         webhook.view
POST   /api/v1/webhooks                                                         webhook.create
GET    /api/v1/webhooks/{webhook_id}                                            webhook.view
PUT    /api/v1/webhooks/{webhook_id}                                            webhook.update
DELETE /api/v1/webhooks/{webhook_id}                                            webhook.delete
POST   /api/v1/webhooks/{webhook_id}/regenerate-uuid                            webhook.update
POST   /api/v1/webhooks/{webhook_id}/regenerate                                 webhook.update
POST   /api/v1/webhooks/{webhook_id}/regenerate-secret                          webhook.update
GET    /api/v1/webhook-subscriptions                                            webhook.view
POST   /api/v1/webhook-subscriptions                                            webhook.create
GET    /api/v1/webhook-subscriptions/{subscription_id}                          webhook.view
PUT    /api/v1/webhook-subscriptions/{subscription_id}                          webhook.update
DELETE /api/v1/webhook-subscriptions/{subscription_id}                          webhook.delete
POST   /api/v1/webhook-subscriptions/{subscription_id}/rotate-secret            webhook.update
POST   /api/v1/webhook-subscriptions/{subscription_id}/test                     webhook.update
GET    /api/v1/webhook-subscriptions/{subscription_id}/deliveries               webhook.view
POST   /api/v1/webhook-subscriptions/{subscription_id}/deliveries/{delivery_id}/replay webhook.update
GET    /api/v1/inbox                                                            webhook.view
GET    /api/v1/inbox/{event_id}                                                 webhook.view
POST   /api/v1/inbox/{event_id}/replay                                          webhook.update
POST   /api/v1/events/{name}                                                    workflow.execute
GET    /api/v1/schedules                                                        schedule.view
POST   /api/v1/schedules                                                        schedule.create
GET    /api/v1/schedules/{schedule_id}                                          schedule.view
PUT    /api/v1/schedules/{schedule_id}                                          schedule.update
DELETE /api/v1/schedules/{schedule_id}                                          schedule.delete
POST   /api/v1/schedules/{schedule_id}/pause                                    schedule.update
POST   /api/v1/schedules/{schedule_id}/resume                                   schedule.update

GET    /api/v1/credentials                                                      credential.view
POST   /api/v1/credentials                                                      credential.create
GET    /api/v1/credentials/{credential_id}                                      credential.view
PUT    /api/v1/credentials/{credential_id}                                      credential.update
DELETE /api/v1/credentials/{credential_id}                                      credential.delete
POST   /api/v1/credentials/{credential_id}/test                                 credential.update
POST   /api/v1/credentials/{credential_id}/refresh                              credential.update
GET    /api/v1/credential-types                                                 credential.view
GET    /api/v1/credential-types/{name}                                          credential.view
GET    /api/v1/oauth/providers                                                  credential.view
POST   /api/v1/oauth/authorize                                                  credential.update
GET    /api/v1/oauth/callback/{provider}                                        open
POST   /api/v1/oauth/callback/{provider}                                        credential.update
GET    /api/v1/variables                                                        variable.view
POST   /api/v1/variables                                                        variable.update
PUT    /api/v1/variables/{key}                                                  variable.update
DELETE /api/v1/variables/{key}                                                  variable.delete
GET    /api/v1/nodes                                                            workflow.view
GET    /api/v1/nodes/categories                                                 workflow.view
GET    /api/v1/nodes/{name}                                                     workflow.view
GET    /api/v1/templates                                                        workflow.view
GET    /api/v1/templates/{slug}                                                 workflow.view
POST   /api/v1/templates/{slug}/use                                             workflow.create
"""


def _read(table: str) -> Mapping[tuple[str, str], str]:
    """Read the table."""
    rows = (line.split() for line in table.splitlines() if line.strip())
    return {(method, path): permission for method, path, permission in rows}


NEEDED: Mapping[tuple[str, str], str] = _read(_TABLE)
"""`(method, path as the route spells it)` to what is asked."""
