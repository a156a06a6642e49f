// Written by `make docs` from the OpenAPI document; never edited.

export interface Accepted {
  success: boolean;
  status: string;
  event_id: string;
  execution_id: string | null;
  execution_ids: string[];
  duplicate: boolean;
}

export interface Address {
  email: string;
}

export interface AlertPage {
  data: AlertRow[];
}

export interface AlertRow {
  id: string;
  name: string;
  kind: string;
  workflow_ids: string[];
  over_s: number | null;
  times_p95: number | null;
  percent: number | null;
  cooldown_s: number;
  channels: ChannelRow[];
  is_active: boolean;
  created_by: string;
  created_at: string;
  updated_at: string;
}

export interface Amount {
  started: number;
  closed: number;
  failed: number;
  nodes: number;
  node_seconds: number;
  ai_tokens: number;
  sms_parts: number;
  airtime_cents: number;
  storage_bytes: number;
}

export interface ApprovalPage {
  data: ApprovalShape[];
  next: string | null;
}

export interface ApprovalShape {
  id: string;
  execution_id: string;
  workflow_id: string;
  node_id: string;
  key: string;
  title: string;
  description: string;
  payload: unknown;
  form: Record<string, unknown> | null;
  deciders: string[];
  status: string;
  round: number;
  on_timeout: string;
  opened_at: string;
  due_at: string;
  can_decide: boolean;
  decided_at: string | null;
  decided_by: string;
  comment: string;
  answer: unknown;
}

export interface AuditFinding {
  number: number;
  what: string;
}

export interface AuditPage {
  data: AuditRow[];
  next: number | null;
}

export interface AuditRow {
  number: number;
  id: string;
  at: string;
  actor_id: string;
  via: string;
  address: string;
  action: string;
  resource: string;
  details: Record<string, unknown>;
  hash: string;
}

export interface AuditVerdict {
  holds: boolean;
  lines: number;
  first: number;
  head: string;
  findings: AuditFinding[];
}

export interface Background {
  executions: Record<string, unknown>;
  queues: Queue[];
  backlogs: BacklogRow[];
}

export interface BacklogRow {
  name: string;
  summary: string;
  waiting: number;
  failed: number;
  oldest_s: number;
  can_retry: boolean;
}

export interface BudgetBody {
  limits: Record<string, unknown>;
  on_exceeded?: "pause" | "fail";
}

export interface BudgetDecision {
  action: "raise" | "stop";
  limits?: Record<string, unknown> | null;
}

export interface BudgetList {
  data: BudgetShown[];
  next: string | null;
}

export interface BudgetMeter {
  meter: string;
  used: number;
  limit: number;
  percent: number;
  period: string;
  resets_at: string;
}

export interface BudgetShown {
  period: "execution" | "day" | "month";
  limits: Record<string, unknown>;
  on_exceeded: "pause" | "fail";
  changed_by: string;
  changed_at: string;
  data: BudgetMeter[];
}

export interface Bulk {
  action: "replay" | "drop";
  ids?: string[];
  where?: Which | null;
}

export interface BulkOutcome {
  id: string;
  ok: boolean;
  new_execution_id: string | null;
  code: string | null;
  detail: string | null;
}

export interface BulkOutcomes {
  done: number;
  failed: number;
  data: BulkOutcome[];
}

export interface CameBack {
  code: string;
  state: string;
}

export interface CancelMany {
  ids: string[];
  reason?: string;
}

export interface ChangedAlert {
  name?: string | null;
  kind?: "failure" | "slow" | "stuck" | "approval" | "dead_letter" | "quota" | "budget" | "credential" | "schedule" | null;
  workflow_ids?: string[] | null;
  over_s?: number | null;
  times_p95?: number | null;
  percent?: number | null;
  cooldown_s?: number | null;
  channels?: ChannelShape[] | null;
  is_active?: boolean | null;
}

export interface ChangedPassword {
  current_password: string;
  password: string;
}

export interface ChangedSubscription {
  url?: string | null;
  events?: string[] | null;
  description?: string | null;
  is_active?: boolean | null;
}

export interface ChangedWorkspace {
  name?: string | null;
  slug?: string | null;
  logo?: string | null;
  settings?: Record<string, unknown> | null;
}

export interface ChannelRow {
  kind: string;
  to?: string[] | null;
  url?: string | null;
  credential?: string | null;
  channel?: string | null;
  secret?: string | null;
}

export interface ChannelShape {
  kind: "email" | "slack" | "webhook";
  to?: string[];
  url?: string;
  credential?: string;
  channel?: string;
}

export interface Client {
  client_id: string;
  name: string;
  redirect_uris: string[];
  scopes: string[];
  public: boolean;
  created_by: string;
  created_at: string;
}

export interface ClientTokens {
  access_token: string;
  token_type: string;
  expires_in: number;
  scope: string;
  refresh_token?: string | null;
}

export interface Clients {
  data: Client[];
  next: string | null;
}

export interface Cluster {
  ok: boolean;
  problems: string[];
  members: Process[];
  missing: string[];
  releases: string[];
  config: Configuration;
  behind: string[];
  waiting: Waiting | null;
}

export interface Compiled {
  success: boolean;
  graph: Record<string, unknown> | null;
  errors: SpecProblem[];
  warnings: SpecProblem[];
}

export interface ConfigBody {
  values: Record<string, unknown>;
}

export interface Configuration {
  version: number;
  values: Record<string, unknown>;
  settings: Record<string, unknown>;
}

export interface Connect {
  credential: string;
}

export interface Connecting {
  authorization_url: string;
  expires_in: number;
}

export interface Credential {
  id: string;
  name: string;
  type: string;
  state: string;
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface CredentialChange {
  name?: string | null;
  data?: Record<string, unknown> | null;
}

export interface CredentialField {
  name: string;
  title: string;
  secret: boolean;
  required: boolean;
  choices: string[];
  default: string | null;
}

export interface CredentialType {
  name: string;
  title: string;
  is_open: boolean;
  is_testable: boolean;
  needs_consent: boolean;
  fields: CredentialField[];
}

export interface CredentialTypes {
  data: CredentialType[];
  next: string | null;
}

export interface DecisionBody {
  decision: "approved" | "rejected";
  answer?: unknown;
  comment?: string;
}

export interface Declared {
  kind: "text" | "number" | "boolean" | "instant";
}

export interface DeliveryPage {
  data: DeliveryRow[];
  next: number | null;
}

export interface DeliveryRow {
  id: string;
  event: string;
  at: string;
  state: string;
  attempts: number;
  due_at: string | null;
  status: number;
  error: string;
  duration_ms: number;
  body: Record<string, unknown>;
}

export interface Document {
  version: string;
  exported_at: string;
  workflow?: Record<string, unknown> | null;
  workflows?: Record<string, unknown>[] | null;
}

export interface Draft {
  workflow_id: string;
  revision: number;
  spec: Record<string, unknown>;
  updated_at: string;
}

export interface Duty {
  name: string;
  summary: string;
  every_s: number;
  last: Run | null;
}

export interface Email {
  email: string;
}

export interface Evaluate {
  workflow_id: string;
  node_id: string;
  expressions: unknown[];
  are_bare?: boolean;
  execution_id?: string;
  run?: string;
  sample?: Sample | null;
}

export interface EvaluatedExpression {
  value?: unknown;
  type?: string | null;
  is_cut?: boolean;
  error?: ExpressionError | null;
}

export interface EvaluatedExpressions {
  key: string;
  data: EvaluatedExpression[];
}

export interface Event {
  number: number;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

export interface EventAccepted {
  event_id: string;
  execution_ids: string[];
  signalled: string[];
}

export interface EventBody {
  key?: string;
  data?: unknown;
}

export interface Events {
  data: Event[];
  next: number | null;
}

export interface ExecutedSpec {
  execution_id: string;
  workflow_id: string;
  version: number;
  spec_hash: string;
  spec: Record<string, unknown>;
}

export interface Execution {
  id: string;
  workspace_id: string;
  workflow_id: string;
  workflow_version: number;
  status: string;
  trigger_kind: string;
  mode: string;
  error: ShapesFailure | null;
  error_key: string | null;
  started_at: string;
  closed_at: string | null;
  duration_ms: number | null;
  origin: string | null;
  version: number;
  trigger: string;
  input: unknown;
  result: unknown;
  deadline_at: string | null;
  parent: Record<string, unknown> | null;
  nodes: NodeRunLine[];
  nodes_next: number | null;
}

export interface ExecutionLine {
  id: string;
  workspace_id: string;
  workflow_id: string;
  workflow_version: number;
  status: string;
  trigger_kind: string;
  mode: string;
  error: ShapesFailure | null;
  error_key: string | null;
  started_at: string;
  closed_at: string | null;
  duration_ms: number | null;
  origin: string | null;
  version: number;
}

export interface ExecutionLog {
  executionId: string;
  workflowId: string;
  workflowVersion: number;
  status: string;
  startedAt: string;
  completedAt?: string | null;
  durationMs: number;
  nodeResults: NodeResult[];
  error?: SeedError | null;
}

export interface ExecutionPage {
  data: ExecutionLine[];
  next: string | null;
}

export interface ExecutionResult {
  executionId: string;
  status: string;
  output: unknown;
  error: SeedError | null;
  nodeResults: NodeResult[];
  durationMs: number;
  sessionId: string | null;
}

export interface ExportBody {
  workflow_ids: string[];
}

export interface ExpressionError {
  code: string;
  message: string;
  position?: number | null;
  expected?: string | null;
  path?: string | null;
  nearest?: string | null;
  expression?: string | null;
}

export interface FunctionLine {
  name: string;
  signature: string;
  about: string;
  family: string;
  example: string;
}

export interface FunctionList {
  data: FunctionLine[];
}

export interface History {
  data: NotificationRow[];
  next: string | null;
}

export interface Imported {
  workflows: Record<string, unknown>[];
}

export interface InboxEvent {
  id: string;
  kind: string;
  source_id: string;
  received_at: string;
  state: string;
  reason: string | null;
  execution_ids: string[];
  body_bytes: number;
  request: Record<string, unknown>;
  body: string;
}

export interface InlineBody {
  workflow: Record<string, unknown>;
  triggerPayload?: unknown;
  sessionId?: string | null;
  options?: InlineOptions | null;
}

export interface InlineOptions {
  maxExecutionTimeMs?: number;
  continueOnError?: boolean;
  dryRun?: boolean;
}

export interface Introspection {
  active: boolean;
  scope?: string | null;
  client_id?: string | null;
  username?: string | null;
  token_type?: string | null;
  sub?: string | null;
  aud?: string | null;
  iss?: string | null;
  exp?: number | null;
  iat?: number | null;
  jti?: string | null;
  team?: string | null;
}

export interface Invitation {
  id: string;
  email: string;
  role: string;
  invited_by: string;
  created_at: string;
  expires_at: string;
}

export interface Invitations {
  data: Invitation[];
  next: string | null;
}

export interface Joined {
  workspace_id: string;
  role: string;
  access_token?: string | null;
  refresh_token?: string | null;
  token_type?: string | null;
  expires_in?: number | null;
}

export interface Key {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface KeySet {
  keys: Record<string, unknown>[];
}

export interface Keys {
  data: Key[];
  next: string | null;
}

export interface LatestExecutions {
  data: LatestOfWorkflow[];
}

export interface LatestOfWorkflow {
  workflow_id: string;
  executions: ExecutionLine[];
}

export interface Leader {
  holder: string;
  token: number;
  expires_at: string;
}

export interface Leave {
  password: string;
}

export interface Letter {
  id: string;
  kind: string;
  execution_id: string;
  reason: string;
  at: string;
  body: unknown;
}

export interface Limits {
  plan: string;
  title: string;
  is_locked: boolean;
  data: Meter[];
}

export interface Line {
  started: number;
  closed: number;
  failed: number;
  nodes: number;
  node_seconds: number;
  ai_tokens: number;
  sms_parts: number;
  airtime_cents: number;
  storage_bytes: number;
  day: string;
}

export interface LogLine {
  at: string;
  level: string;
  message: string;
  key: string;
  data: unknown;
  event: number;
}

export interface LogLines {
  data: LogLine[];
  next: number | null;
  version: number;
}

export interface MadeClient {
  client_id: string;
  name: string;
  redirect_uris: string[];
  scopes: string[];
  public: boolean;
  created_by: string;
  created_at: string;
  client_secret: string | null;
}

export interface MadeInvitation {
  id: string;
  email: string;
  role: string;
  invited_by: string;
  created_at: string;
  expires_at: string;
  link: string;
}

export interface MadeKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  token: string;
}

export interface Me {
  id: string;
  email: string;
  name: string;
  role: string;
  workspace_id: string;
  scopes: string[];
  permissions: string[];
  is_operator: boolean;
}

export interface Member {
  user_id: string;
  email: string;
  name: string;
  role: string;
  joined_at: string;
}

export interface Members {
  data: Member[];
  next: string | null;
}

export interface Meter {
  meter: string;
  used: number;
  limit: number | null;
  percent: number | null;
}

export interface Name {
  name?: string;
}

export interface NewAlert {
  name: string;
  kind: "failure" | "slow" | "stuck" | "approval" | "dead_letter" | "quota" | "budget" | "credential" | "schedule";
  workflow_ids?: string[];
  over_s?: number | null;
  times_p95?: number | null;
  percent?: number | null;
  cooldown_s?: number;
  channels: ChannelShape[];
}

export interface NewClient {
  name: string;
  redirect_uris?: string[];
  scopes?: string[];
  public?: boolean;
}

export interface NewCredential {
  name: string;
  type?: string;
  data: Record<string, unknown>;
}

export interface NewInvitation {
  email: string;
  role?: "admin" | "member" | "viewer";
}

export interface NewKey {
  name: string;
  scopes?: string[];
  expires_in?: number | null;
}

export interface NewPassword {
  email?: string;
  password: string;
}

export interface NewRole {
  role: "owner" | "admin" | "member" | "viewer";
}

export interface NewSchedule {
  workflow_id: string;
  name?: string;
  cron?: string;
  cron_expression?: string;
  interval_s?: number | null;
  timezone?: string;
  misfire?: "skip" | "once" | "all";
  input?: unknown;
  input_data?: unknown;
  enabled?: boolean;
  start_at?: string | null;
  end_at?: string | null;
  max_executions?: number | null;
}

export interface NewSearch {
  name: string;
  query?: Record<string, unknown>;
  is_shared?: boolean;
}

export interface NewSecret {
  id: string;
  url: string;
  events: string[];
  description: string;
  workflow_id: string;
  is_active: boolean;
  disabled_reason: string;
  created_by: string;
  created_at: string;
  updated_at: string;
  secret: string;
}

export interface NewSubscription {
  url: string;
  events: string[];
  description?: string;
  workflow_id?: string;
}

export interface NewVariable {
  key: string;
  value?: unknown;
  is_secret?: boolean;
}

export interface NewWebhook {
  workflow_id: string;
  node_id?: string;
  settings?: Record<string, unknown>;
  secret?: string;
}

export interface NewWorkflow {
  name: string;
  spec?: Record<string, unknown> | null;
  description?: string;
  tags?: string[];
}

export interface NewWorkspace {
  name: string;
  slug?: string;
  logo?: string;
}

export interface NodeResult {
  nodeId: string;
  status: string;
  output?: Record<string, unknown> | null;
  error?: SeedError | null;
  durationMs: number;
  executedAt: string | null;
  attempt: number;
}

export interface NodeRun {
  key: string;
  node_id: string;
  type: string;
  label: string;
  status: string;
  attempt: number;
  handles: string[];
  error: ShapesFailure | null;
  waits_for: string | null;
  scheduled_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  retry_at: string | null;
  deadline_at: string | null;
  duration_ms: number | null;
  event: number;
  output?: unknown;
}

export interface NodeRunLine {
  key: string;
  node_id: string;
  type: string;
  label: string;
  status: string;
  attempt: number;
  handles: string[];
  error: ShapesFailure | null;
  waits_for: string | null;
  scheduled_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  retry_at: string | null;
  deadline_at: string | null;
  duration_ms: number | null;
  event: number;
}

export interface NodeRuns {
  data: NodeRun[];
  next: number | null;
  version: number;
}

export interface NodeScope {
  key: string;
  data: ScopeRoot[];
  run: RunOfNode | null;
}

export interface NodeType {
  type: string;
  version: number;
  group: string;
  title: string;
  summary: string;
  inputs: string[];
  outputs: string[];
  dynamic_outputs: boolean;
  aliases: string[];
  parameters: Record<string, unknown>;
  output: unknown;
  example: unknown;
  timeout_s: number | null;
  heartbeat_s: number | null;
  unknown: string;
  can_look_up: boolean;
  docs: string;
}

export interface Note {
  note?: string;
}

export interface NotificationRow {
  id: string;
  alert_id: string;
  at: string;
  kind: string;
  to: string;
  title: string;
  subject: string;
  state: string;
  attempts: number;
  due_at: string | null;
  error: string;
  is_test: boolean;
}

export interface OAuthError {
  error: string;
  error_description: string;
}

export interface OAuthProvider {
  name: string;
  title: string;
  scope: string;
  redirect_uri: string;
}

export interface OAuthProviders {
  data: OAuthProvider[];
  next: string | null;
}

export interface Offer {
  workspace_id: string;
  workspace: string;
  email: string;
  role: string;
  invited_by: string;
  expires_at: string;
}

export interface OutputPage {
  kind?: string | null;
  count?: number | null;
  offset?: number | null;
  is_cut?: boolean | null;
  output?: unknown;
  indexes?: number[] | null;
}

export interface Person {
  id: string;
  email: string;
  name: string;
  email_verified: boolean;
  created_at: string;
}

export interface PinInput {
  output?: unknown;
  execution_id?: string;
  key?: string;
}

export interface PinOutput {
  output: unknown;
  handles?: string[] | null;
}

export interface PlanList {
  data: PlanShown[];
  next: string | null;
}

export interface PlanShown {
  name: string;
  title: string;
  limits: Record<string, unknown>;
  features: string[];
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  kind: string;
  request_id: string;
}

export interface Process {
  id: string;
  roles: string[];
  state: string;
  release: string;
  addresses: Record<string, unknown>;
  active: string[];
  waits_for: string | null;
  started_at: string;
  seen_at: string;
  silent_s: number;
  config_version: number;
}

export interface Profile {
  name: string;
}

export interface Provider {
  name: string;
}

export interface Providers {
  data: Provider[];
  next: string | null;
}

export interface PuterToken {
  token: string;
}

export interface Queue {
  name: string;
  depth: number;
  oldest_s: number;
  in_flight: number;
  credits: number;
  workers: number;
}

export interface Queues {
  data: Queue[];
}

export interface Reason {
  reason?: string;
}

export interface Redirect {
  redirect_to: string;
}

export interface Registration {
  email: string;
  password: string;
  name?: string;
  first_name?: string;
  last_name?: string;
}

export interface Renewal {
  refresh_token: string;
}

export interface Replayed {
  id: string;
  kind: string;
  execution_id: string;
  reason: string;
  at: string;
  body: unknown;
  outcome: string;
  new_execution_id: string | null;
}

export interface Report {
  first: string;
  last: string;
  by: string;
  data: Line[];
  total: Amount;
}

export interface ResolveBody {
  key: string;
  action?: "done" | "approved" | "rejected" | "retry" | "fail";
  data?: unknown;
}

export interface Retried {
  retried: number;
}

export interface RetryBody {
  from_node?: string;
  input?: unknown;
  workflow?: "original" | "current";
  mode?: "async" | "wait";
  wait_ms?: number;
}

export interface RetryMany {
  ids: string[];
  workflow?: "original" | "current";
}

export interface Rows {
  data: Record<string, unknown>[];
  next?: string | null;
}

export interface Run {
  id: string;
  duty: string;
  outcome: string;
  asked_by: string | null;
  dry_run: boolean;
  asked_at: string;
  began_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  holder: string;
  token: number;
  result: unknown;
  error: string | null;
}

export interface RunBody {
  dry_run?: boolean;
}

export interface RunOfNode {
  key: string;
  status: string;
  number: number;
  count: number;
}

export interface Sample {
  trigger?: unknown;
  outputs?: Record<string, unknown>;
}

export interface Schedule {
  id: string;
  workspace_id: string;
  workflow_id: string;
  node_id: string;
  name: string;
  cron: string | null;
  interval_s: number | null;
  timezone: string;
  misfire: string;
  input: unknown;
  is_paused: boolean;
  disabled_reason: string | null;
  next_run_at: string | null;
  last_run_at: string | null;
  run_count: number;
  source: string;
  created_at: string;
}

export interface ScheduleChange {
  name?: string | null;
  cron?: string | null;
  interval_s?: number | null;
  timezone?: string | null;
  misfire?: "skip" | "once" | "all" | null;
  input?: unknown;
}

export interface Scheduler {
  leader: Leader | null;
  duties: Duty[];
}

export interface ScopeField {
  name?: string | null;
  path: string;
  type: string;
  sample?: string | null;
  count?: number | null;
  fields?: ScopeField[] | null;
}

export interface ScopeRoot {
  name?: string | null;
  path: string;
  type: string;
  sample?: string | null;
  count?: number | null;
  fields?: ScopeField[] | null;
  kind: string;
  node_id?: string | null;
  label?: string | null;
}

export interface SecretBody {
  secret?: string;
}

export interface SeedError {
  code: string;
  message: string;
  type: string;
}

export interface Sent {
  data: NotificationRow[];
}

export interface ServerMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
  introspection_endpoint: string;
  jwks_uri: string;
  response_types_supported: string[];
  grant_types_supported: string[];
  code_challenge_methods_supported: string[];
  token_endpoint_auth_methods_supported: string[];
}

export interface SignInBody {
  email: string;
  password: string;
}

export interface SignInLine {
  id: string;
  created_at: string;
  expires_at: string;
  device: string;
  address: string;
  client_id: string;
  scopes: string[];
  is_current: boolean;
}

export interface SignInTicket {
  ticket: string;
}

export interface SignIns {
  data: SignInLine[];
  next: string | null;
}

export interface SignalBody {
  name: string;
  key?: string;
  data?: unknown;
  id?: string;
}

export interface SignedIn {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  user: SignedInUser;
}

export interface SignedInUser {
  id: string;
  email: string;
  name: string;
  role: string;
  workspace_id: string;
  email_verified: boolean;
}

export interface SpecProblem {
  code: string;
  message: string;
  severity: string;
  path: string;
  nodeId?: string | null;
  edgeId?: string | null;
}

export interface Started {
  execution_id: string;
  status: string;
  result?: unknown;
  error?: ShapesFailure | null;
}

export interface SubscriptionPage {
  data: SubscriptionRow[];
}

export interface SubscriptionRow {
  id: string;
  url: string;
  events: string[];
  description: string;
  workflow_id: string;
  is_active: boolean;
  disabled_reason: string;
  created_by: string;
  created_at: string;
  updated_at: string;
}

export interface Swept {
  matched: number;
  done: number;
  failed: LettersFailure[];
  has_more: boolean;
}

export interface Template {
  slug: string;
  name: string;
  description: string;
  tags: string[];
  spec: Record<string, unknown>;
}

export interface TestRun {
  input?: unknown;
  from_node?: string;
  to_node?: string;
  execution_id?: string;
  mode?: "async" | "wait";
  wait_ms?: number;
}

export interface Trial {
  works: boolean;
  message: string;
  took_ms: number;
}

export interface Value {
  value?: unknown;
  is_secret?: boolean;
}

export interface Variable {
  key: string;
  value?: unknown;
  is_secret: boolean;
}

export interface Verdict {
  valid: boolean;
  errors: SpecProblem[];
  warnings: SpecProblem[];
}

export interface Version {
  workflow_id: string;
  version: number;
  spec_hash: string;
  note: string;
  created_by: string;
  created_at: string;
  spec: Record<string, unknown>;
}

export interface VersionLine {
  workflow_id: string;
  version: number;
  spec_hash: string;
  note: string;
  created_by: string;
  created_at: string;
}

export interface VersionList {
  data: VersionLine[];
}

export interface Waiting {
  tasks: number;
  oldest_s: number;
  in_flight: number;
  workers: number;
  unserved: string[];
}

export interface Webhook {
  id: string;
  workspace_id: string;
  workflow_id: string;
  node_id: string;
  url: string;
  settings: Record<string, unknown>;
  has_secret: boolean;
  is_active: boolean;
  source: string;
  created_at: string;
}

export interface WebhookChange {
  settings?: Record<string, unknown> | null;
  is_active?: boolean | null;
}

export interface WebhookSecret {
  id: string;
  workspace_id: string;
  workflow_id: string;
  node_id: string;
  url: string;
  settings: Record<string, unknown>;
  has_secret: boolean;
  is_active: boolean;
  source: string;
  created_at: string;
  secret: string;
}

export interface Which {
  kind?: "task" | "callback" | "start" | "decision" | null;
  execution_id?: string;
  workflow_id?: string;
  reason?: string;
  before?: number | null;
}

export interface Workflow {
  id: string;
  workspace_id: string;
  name: string;
  description: string;
  tags: string[];
  version: number;
  revision: number;
  is_active: boolean;
  created_by: string;
  created_at: string;
  updated_at: string;
  spec: Record<string, unknown>;
}

export interface WorkflowLine {
  id: string;
  workspace_id: string;
  name: string;
  description: string;
  tags: string[];
  version: number;
  revision: number;
  is_active: boolean;
  created_by: string;
  created_at: string;
  updated_at: string;
}

export interface WorkflowPage {
  data: WorkflowLine[];
  next: string | null;
}

export interface Workspace {
  id: string;
  name: string;
  slug: string;
  logo: string;
  settings: Record<string, unknown>;
  role: string;
  created_at: string;
}

export interface Workspaces {
  data: Workspace[];
  next: string | null;
}

export interface AccountShapesDone {
  message: string;
}

export interface LettersFailure {
  id: string;
  code: string;
  detail: string;
}

export interface PlansChange {
  workspace_id: string;
  plan?: "" | "self-hosted" | "free" | "starter" | "pro" | "teams" | "enterprise";
  is_locked?: boolean;
  limits?: Record<string, unknown>;
}

export interface ShapesDone {
  ok: boolean;
}

export interface ShapesFailure {
  code: string;
  kind: string;
  message: string;
  details: Record<string, unknown>;
}

export interface WorkflowsChange {
  name?: string | null;
  description?: string | null;
  tags?: string[] | null;
  spec?: Record<string, unknown> | null;
}

export interface Routes {
  "DELETE /alerts/{alert_id}": { query: {  }; body: void; answer: void };
  "DELETE /auth/me": { query: {  }; body: Leave; answer: void };
  "DELETE /auth/sign-ins": { query: {  }; body: void; answer: void };
  "DELETE /auth/sign-ins/{sign_in_id}": { query: {  }; body: void; answer: void };
  "DELETE /auth/tokens/{key_id}": { query: {  }; body: void; answer: void };
  "DELETE /budgets/{period}": { query: {  }; body: void; answer: void };
  "DELETE /credentials/{credential_id}": { query: {  }; body: void; answer: void };
  "DELETE /dead-letters/{letter_id}": { query: {  }; body: void; answer: void };
  "DELETE /invitations/{invitation_id}": { query: {  }; body: void; answer: void };
  "DELETE /members/{user_id}": { query: {  }; body: void; answer: void };
  "DELETE /oauth/clients/{client_id}": { query: {  }; body: void; answer: void };
  "DELETE /schedules/{schedule_id}": { query: {  }; body: void; answer: void };
  "DELETE /search-attributes/{name}": { query: {  }; body: void; answer: void };
  "DELETE /searches/{search_id}": { query: {  }; body: void; answer: void };
  "DELETE /variables/{key}": { query: {  }; body: void; answer: void };
  "DELETE /webhook-subscriptions/{subscription_id}": { query: {  }; body: void; answer: void };
  "DELETE /webhooks/{webhook_id}": { query: {  }; body: void; answer: void };
  "DELETE /workflows/{workflow_id}": { query: {  }; body: void; answer: void };
  "DELETE /workspaces/{workspace_id}": { query: {  }; body: void; answer: void };
  "GET /admin/backlogs": { query: {  }; body: void; answer: Background };
  "GET /admin/cluster": { query: {  }; body: void; answer: Cluster };
  "GET /admin/cluster/config": { query: {  }; body: void; answer: Configuration };
  "GET /admin/queues": { query: {  }; body: void; answer: Queues };
  "GET /admin/scheduler": { query: {  }; body: void; answer: Scheduler };
  "GET /admin/scheduler/runs/{run_id}": { query: {  }; body: void; answer: Run };
  "GET /alerts": { query: {  }; body: void; answer: AlertPage };
  "GET /alerts/history": { query: { after?: string; limit?: number }; body: void; answer: History };
  "GET /alerts/{alert_id}": { query: {  }; body: void; answer: AlertRow };
  "GET /alerts/{alert_id}/history": { query: { after?: string; limit?: number }; body: void; answer: History };
  "GET /approvals": { query: { status?: "open" | "decided" | "all"; mine?: boolean; workflow_id?: string; execution_id?: string; after?: string; limit?: number }; body: void; answer: ApprovalPage };
  "GET /approvals/{approval_id}": { query: {  }; body: void; answer: ApprovalShape };
  "GET /approve/{token}": { query: {  }; body: void; answer: unknown };
  "GET /audit-logs": { query: { action?: string; resource?: string; actor_id?: string; since?: number | null; until?: number | null; after?: number; limit?: number }; body: void; answer: AuditPage };
  "GET /audit-logs/export": { query: {  }; body: void; answer: void };
  "GET /audit-logs/verify": { query: { expect?: string }; body: void; answer: AuditVerdict };
  "GET /auth/me": { query: {  }; body: void; answer: Me };
  "GET /auth/oauth": { query: {  }; body: void; answer: Providers };
  "GET /auth/oauth/{provider}": { query: {  }; body: void; answer: void };
  "GET /auth/oauth/{provider}/callback": { query: { code?: string; state?: string; error?: string }; body: void; answer: SignedIn };
  "GET /auth/reset-password": { query: { token?: string }; body: void; answer: unknown };
  "GET /auth/sign-ins": { query: {  }; body: void; answer: SignIns };
  "GET /auth/tokens": { query: {  }; body: void; answer: Keys };
  "GET /auth/verify-email/{user_id}/{token}": { query: {  }; body: void; answer: Email };
  "GET /budgets": { query: {  }; body: void; answer: BudgetList };
  "GET /credential-types": { query: {  }; body: void; answer: CredentialTypes };
  "GET /credential-types/{name}": { query: {  }; body: void; answer: CredentialType };
  "GET /credentials": { query: {  }; body: void; answer: Rows };
  "GET /credentials/{credential_id}": { query: {  }; body: void; answer: Credential };
  "GET /dead-letters": { query: { kind?: "task" | "callback" | "start" | "decision" | null; execution_id?: string; workflow_id?: string; reason?: string; after?: string; limit?: number }; body: void; answer: Rows };
  "GET /dead-letters/{letter_id}": { query: {  }; body: void; answer: Letter };
  "GET /executions": { query: { workflow_id?: string; status?: string[]; trigger_kind?: string; mode?: string; parent_id?: string; started_from?: number | null; started_to?: number | null; closed_from?: number | null; closed_to?: number | null; min_duration_s?: number | null; max_duration_s?: number | null; error_code?: string; q?: string; attribute?: string[]; saved?: string; after?: string; limit?: number }; body: void; answer: ExecutionPage };
  "GET /executions/counts": { query: { workflow_id?: string; status?: string[]; trigger_kind?: string; mode?: string; parent_id?: string; started_from?: number | null; started_to?: number | null; closed_from?: number | null; closed_to?: number | null; min_duration_s?: number | null; max_duration_s?: number | null; error_code?: string; q?: string; attribute?: string[]; saved?: string; by?: "status" | "workflow" | "trigger" | "mode" | "error" | "hour" | "day" | "duration" }; body: void; answer: unknown };
  "GET /executions/latest": { query: { workflow_id?: string[]; limit?: number }; body: void; answer: LatestExecutions };
  "GET /executions/search": { query: { workflow_id?: string; status?: string[]; trigger_kind?: string; mode?: string; parent_id?: string; started_from?: number | null; started_to?: number | null; closed_from?: number | null; closed_to?: number | null; min_duration_s?: number | null; max_duration_s?: number | null; error_code?: string; q?: string; attribute?: string[]; saved?: string; after?: string; limit?: number }; body: void; answer: ExecutionPage };
  "GET /executions/stats": { query: { workflow_id?: string; status?: string[]; trigger_kind?: string; mode?: string; parent_id?: string; started_from?: number | null; started_to?: number | null; closed_from?: number | null; closed_to?: number | null; min_duration_s?: number | null; max_duration_s?: number | null; error_code?: string; q?: string; attribute?: string[] }; body: void; answer: unknown };
  "GET /executions/{execution_id}": { query: { nodes?: "all" | "last" | "none"; limit?: number }; body: void; answer: Execution };
  "GET /executions/{execution_id}/events": { query: { after?: number; limit?: number }; body: void; answer: Events };
  "GET /executions/{execution_id}/explain": { query: {  }; body: void; answer: unknown };
  "GET /executions/{execution_id}/logs": { query: { after?: number; limit?: number; version?: number }; body: void; answer: LogLines };
  "GET /executions/{execution_id}/nodes": { query: { after?: number; limit?: number; version?: number; node?: string; outputs?: boolean }; body: void; answer: NodeRuns };
  "GET /executions/{execution_id}/nodes/{key}/output": { query: { number?: number; offset?: number; limit?: number; path?: string[] | null; q?: string; view?: "page" | "schema" | "whole" }; body: void; answer: OutputPage };
  "GET /executions/{execution_id}/nodes/{key}/runs/{number}/output": { query: { offset?: number; limit?: number; path?: string[] | null; q?: string; view?: "page" | "schema" | "whole" }; body: void; answer: OutputPage };
  "GET /executions/{execution_id}/spec": { query: {  }; body: void; answer: ExecutedSpec };
  "GET /executions/{execution_id}/stream": { query: {  }; body: void; answer: void };
  "GET /expressions/functions": { query: {  }; body: void; answer: FunctionList };
  "GET /health": { query: {  }; body: void; answer: unknown };
  "GET /inbox": { query: { webhook_id?: string; state?: "" | "pending" | "done" | "refused" | "unclaimed"; after?: string; limit?: number }; body: void; answer: Rows };
  "GET /inbox/{event_id}": { query: {  }; body: void; answer: InboxEvent };
  "GET /invitations": { query: {  }; body: void; answer: Invitations };
  "GET /invitations/{token}": { query: {  }; body: void; answer: Offer };
  "GET /members": { query: {  }; body: void; answer: Members };
  "GET /nodes": { query: { group?: string; search?: string }; body: void; answer: Rows };
  "GET /nodes/categories": { query: {  }; body: void; answer: Rows };
  "GET /nodes/{name}": { query: {  }; body: void; answer: NodeType };
  "GET /oauth/callback/{provider}": { query: { code?: string; state?: string; error?: string }; body: void; answer: Credential };
  "GET /oauth/clients": { query: {  }; body: void; answer: Clients };
  "GET /oauth/providers": { query: {  }; body: void; answer: OAuthProviders };
  "GET /plans": { query: {  }; body: void; answer: PlanList };
  "GET /ready": { query: {  }; body: void; answer: unknown };
  "GET /resume/{token}": { query: {  }; body: void; answer: unknown };
  "GET /resume/{token}/status": { query: {  }; body: void; answer: unknown };
  "GET /schedules": { query: { workflow_id?: string }; body: void; answer: Rows };
  "GET /schedules/{schedule_id}": { query: {  }; body: void; answer: Schedule };
  "GET /search-attributes": { query: {  }; body: void; answer: Rows };
  "GET /searches": { query: {  }; body: void; answer: Rows };
  "GET /searches/{search_id}": { query: {  }; body: void; answer: unknown };
  "GET /templates": { query: {  }; body: void; answer: Rows };
  "GET /templates/{slug}": { query: {  }; body: void; answer: Template };
  "GET /usage": { query: { from?: string | null; to?: string | null; by?: "day" | "month" }; body: void; answer: Report };
  "GET /usage/limits": { query: {  }; body: void; answer: Limits };
  "GET /variables": { query: {  }; body: void; answer: Rows };
  "GET /webhook-subscriptions": { query: {  }; body: void; answer: SubscriptionPage };
  "GET /webhook-subscriptions/{subscription_id}": { query: {  }; body: void; answer: SubscriptionRow };
  "GET /webhook-subscriptions/{subscription_id}/deliveries": { query: { state?: "" | "pending" | "delivered" | "failed"; after?: number | null; limit?: number }; body: void; answer: DeliveryPage };
  "GET /webhooks": { query: { workflow_id?: string }; body: void; answer: Rows };
  "GET /webhooks/{webhook_id}": { query: {  }; body: void; answer: Webhook };
  "GET /workflows": { query: { search?: string; tag?: string; is_active?: boolean | null; after?: string; limit?: number }; body: void; answer: WorkflowPage };
  "GET /workflows/executions": { query: {  }; body: void; answer: Rows };
  "GET /workflows/executions/{execution_id}": { query: {  }; body: void; answer: ExecutionLog };
  "GET /workflows/{workflow_id}": { query: {  }; body: void; answer: Workflow };
  "GET /workflows/{workflow_id}/draft": { query: {  }; body: void; answer: Draft };
  "GET /workflows/{workflow_id}/export": { query: {  }; body: void; answer: Document };
  "GET /workflows/{workflow_id}/nodes/{node_id}/scope": { query: { execution_id?: string; run?: string }; body: void; answer: NodeScope };
  "GET /workflows/{workflow_id}/stats": { query: { workflow_id?: string; status?: string[]; trigger_kind?: string; mode?: string; parent_id?: string; started_from?: number | null; started_to?: number | null; closed_from?: number | null; closed_to?: number | null; min_duration_s?: number | null; max_duration_s?: number | null; error_code?: string; q?: string; attribute?: string[] }; body: void; answer: unknown };
  "GET /workflows/{workflow_id}/versions": { query: {  }; body: void; answer: VersionList };
  "GET /workflows/{workflow_id}/versions/{number}": { query: {  }; body: void; answer: Version };
  "GET /workflows/{workflow_id}/webhooks": { query: {  }; body: void; answer: Rows };
  "GET /workspaces": { query: {  }; body: void; answer: Workspaces };
  "GET /workspaces/{workspace_id}": { query: {  }; body: void; answer: Workspace };
  "PATCH /workflows/{workflow_id}": { query: {  }; body: WorkflowsChange; answer: Workflow };
  "PATCH /workspaces/{workspace_id}": { query: {  }; body: ChangedWorkspace; answer: Workspace };
  "POST /admin/backlogs/{name}/retry": { query: {  }; body: void; answer: Retried };
  "POST /admin/scheduler/duties/{name}/run": { query: { wait_ms?: number }; body: RunBody | null; answer: Run };
  "POST /alerts": { query: {  }; body: NewAlert; answer: AlertRow };
  "POST /alerts/{alert_id}/test": { query: {  }; body: void; answer: Sent };
  "POST /approvals/{approval_id}/decision": { query: {  }; body: DecisionBody; answer: ApprovalShape };
  "POST /approve/{token}": { query: {  }; body: void; answer: unknown };
  "POST /auth/change-password": { query: {  }; body: ChangedPassword; answer: void };
  "POST /auth/forgot-password": { query: {  }; body: Address; answer: AccountShapesDone };
  "POST /auth/login": { query: {  }; body: SignInBody; answer: SignedIn };
  "POST /auth/logout": { query: {  }; body: void; answer: void };
  "POST /auth/oauth/exchange": { query: {  }; body: SignInTicket; answer: SignedIn };
  "POST /auth/oauth/puter": { query: {  }; body: PuterToken; answer: SignedIn };
  "POST /auth/owner-password": { query: {  }; body: NewPassword; answer: Email };
  "POST /auth/refresh": { query: {  }; body: Renewal; answer: SignedIn };
  "POST /auth/register": { query: {  }; body: Registration; answer: SignedIn | AccountShapesDone };
  "POST /auth/resend-verification-email": { query: {  }; body: Address; answer: AccountShapesDone };
  "POST /auth/reset-password": { query: {  }; body: void; answer: Email };
  "POST /auth/tokens": { query: {  }; body: NewKey; answer: MadeKey };
  "POST /auth/verify-email/{user_id}/{token}": { query: {  }; body: void; answer: Email };
  "POST /credentials": { query: {  }; body: NewCredential; answer: Credential };
  "POST /credentials/{credential_id}/refresh": { query: {  }; body: void; answer: Credential };
  "POST /credentials/{credential_id}/test": { query: {  }; body: void; answer: Trial };
  "POST /dead-letters/bulk": { query: {  }; body: Bulk; answer: Swept };
  "POST /dead-letters/{letter_id}/replay": { query: {  }; body: void; answer: Replayed };
  "POST /events/{name}": { query: {  }; body: EventBody | null; answer: EventAccepted };
  "POST /executions/bulk/cancel": { query: {  }; body: CancelMany; answer: BulkOutcomes };
  "POST /executions/bulk/retry": { query: {  }; body: RetryMany; answer: BulkOutcomes };
  "POST /executions/{execution_id}/budget": { query: {  }; body: BudgetDecision; answer: ShapesDone };
  "POST /executions/{execution_id}/cancel": { query: {  }; body: Reason | null; answer: ShapesDone };
  "POST /executions/{execution_id}/release": { query: {  }; body: void; answer: ShapesDone };
  "POST /executions/{execution_id}/resolve": { query: {  }; body: ResolveBody; answer: ShapesDone };
  "POST /executions/{execution_id}/retry": { query: {  }; body: RetryBody | null; answer: Started };
  "POST /executions/{execution_id}/signal": { query: {  }; body: SignalBody; answer: ShapesDone };
  "POST /executions/{execution_id}/terminate": { query: {  }; body: Reason | null; answer: ShapesDone };
  "POST /expressions/evaluate": { query: {  }; body: Evaluate; answer: EvaluatedExpressions };
  "POST /inbox/{event_id}/replay": { query: {  }; body: void; answer: Accepted };
  "POST /invitations": { query: {  }; body: NewInvitation; answer: MadeInvitation };
  "POST /invitations/{token}/accept": { query: {  }; body: void; answer: Joined };
  "POST /invitations/{token}/decline": { query: {  }; body: void; answer: void };
  "POST /jobs/callback": { query: {  }; body: void; answer: ShapesDone };
  "POST /jobs/progress": { query: {  }; body: void; answer: ShapesDone };
  "POST /members/leave": { query: {  }; body: void; answer: void };
  "POST /oauth/authorize": { query: {  }; body: Connect; answer: Connecting };
  "POST /oauth/callback/{provider}": { query: {  }; body: CameBack; answer: Credential };
  "POST /oauth/clients": { query: {  }; body: NewClient; answer: MadeClient };
  "POST /resume/{token}": { query: {  }; body: void; answer: ShapesDone };
  "POST /schedules": { query: {  }; body: NewSchedule; answer: Schedule };
  "POST /schedules/{schedule_id}/pause": { query: {  }; body: void; answer: Schedule };
  "POST /schedules/{schedule_id}/resume": { query: {  }; body: void; answer: Schedule };
  "POST /searches": { query: {  }; body: NewSearch; answer: unknown };
  "POST /templates/{slug}/use": { query: {  }; body: void; answer: Workflow };
  "POST /users/{user_id}/ban": { query: {  }; body: void; answer: Person };
  "POST /users/{user_id}/unban": { query: {  }; body: void; answer: Person };
  "POST /variables": { query: {  }; body: NewVariable; answer: Variable };
  "POST /webhook-subscriptions": { query: {  }; body: NewSubscription; answer: NewSecret };
  "POST /webhook-subscriptions/{subscription_id}/deliveries/{delivery_id}/replay": { query: {  }; body: void; answer: DeliveryRow };
  "POST /webhook-subscriptions/{subscription_id}/rotate-secret": { query: {  }; body: void; answer: NewSecret };
  "POST /webhook-subscriptions/{subscription_id}/test": { query: {  }; body: void; answer: DeliveryRow };
  "POST /webhooks": { query: {  }; body: NewWebhook; answer: Webhook };
  "POST /webhooks/{webhook_id}/regenerate": { query: {  }; body: void; answer: Webhook };
  "POST /webhooks/{webhook_id}/regenerate-secret": { query: {  }; body: SecretBody | null; answer: WebhookSecret };
  "POST /webhooks/{webhook_id}/regenerate-uuid": { query: {  }; body: void; answer: Webhook };
  "POST /workflows": { query: {  }; body: NewWorkflow; answer: Workflow };
  "POST /workflows/compile": { query: {  }; body: Record<string, unknown>; answer: Compiled };
  "POST /workflows/execute": { query: {  }; body: InlineBody; answer: ExecutionResult };
  "POST /workflows/export-bulk": { query: {  }; body: ExportBody; answer: Document };
  "POST /workflows/import": { query: { dry_run?: boolean }; body: Record<string, unknown> | Record<string, unknown>[]; answer: Imported };
  "POST /workflows/validate": { query: {  }; body: Record<string, unknown>; answer: Verdict };
  "POST /workflows/{workflow_id}/activate": { query: {  }; body: void; answer: Workflow };
  "POST /workflows/{workflow_id}/clone": { query: {  }; body: Name | null; answer: Workflow };
  "POST /workflows/{workflow_id}/deactivate": { query: {  }; body: void; answer: Workflow };
  "POST /workflows/{workflow_id}/duplicate": { query: {  }; body: Name | null; answer: Workflow };
  "POST /workflows/{workflow_id}/execute": { query: {  }; body: {
    input?: unknown;
    mode?: "async" | "wait" | "stream";
    wait_ms?: number;
    version?: number | null;
    test?: boolean;
    attributes?: Record<string, unknown>;
  }; answer: Started };
  "POST /workflows/{workflow_id}/pins": { query: {  }; body: PinInput; answer: PinOutput };
  "POST /workflows/{workflow_id}/publish": { query: {  }; body: Note | null; answer: Version };
  "POST /workflows/{workflow_id}/test-run": { query: {  }; body: TestRun | null; answer: Started };
  "POST /workflows/{workflow_id}/versions": { query: {  }; body: Note | null; answer: Version };
  "POST /workflows/{workflow_id}/versions/{number}/publish": { query: {  }; body: void; answer: Workflow };
  "POST /workflows/{workflow_id}/versions/{number}/restore": { query: {  }; body: void; answer: Workflow };
  "POST /workspaces": { query: {  }; body: NewWorkspace; answer: Workspace };
  "POST /ws/tickets": { query: {  }; body: void; answer: unknown };
  "PUT /admin/cluster/config": { query: {  }; body: ConfigBody; answer: Configuration };
  "PUT /admin/plans": { query: {  }; body: PlansChange; answer: void };
  "PUT /alerts/{alert_id}": { query: {  }; body: ChangedAlert; answer: AlertRow };
  "PUT /auth/change-password": { query: {  }; body: ChangedPassword; answer: void };
  "PUT /auth/me": { query: {  }; body: Profile; answer: Person };
  "PUT /budgets/{period}": { query: {  }; body: BudgetBody; answer: void };
  "PUT /credentials/{credential_id}": { query: {  }; body: CredentialChange; answer: Credential };
  "PUT /members/{user_id}": { query: {  }; body: NewRole; answer: Member };
  "PUT /schedules/{schedule_id}": { query: {  }; body: ScheduleChange; answer: Schedule };
  "PUT /search-attributes/{name}": { query: {  }; body: Declared; answer: unknown };
  "PUT /searches/{search_id}": { query: {  }; body: NewSearch; answer: unknown };
  "PUT /variables/{key}": { query: {  }; body: Value; answer: Variable };
  "PUT /webhook-subscriptions/{subscription_id}": { query: {  }; body: ChangedSubscription; answer: SubscriptionRow };
  "PUT /webhooks/{webhook_id}": { query: {  }; body: WebhookChange; answer: Webhook };
  "PUT /workflows/{workflow_id}": { query: {  }; body: WorkflowsChange; answer: Workflow };
  "PUT /workflows/{workflow_id}/draft": { query: {  }; body: Record<string, unknown>; answer: Draft };
  "PUT /workspaces/{workspace_id}": { query: {  }; body: ChangedWorkspace; answer: Workspace };
}
