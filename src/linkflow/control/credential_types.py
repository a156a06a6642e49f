"""The types of credentials as data: which fields each has, and how one is tried out."""

import difflib
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.values import Json


class Field(msgspec.Struct, frozen=True):
    """One field: its name, what it is, whether it is shown to nobody, must be there, has a choice."""

    name: str
    title: str
    secret: bool = True
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str = ""


class HttpTrial(msgspec.Struct, frozen=True):
    """A call that only a working credential survives; `{field}` stands for a field.

    Attributes:
        basic: Fields that are user and password, if it signs in so.
        says: A member of the JSON answer that must be true, for services that answer 200 to everything.
        words: What stands in the address for the value of a field, where that is another text.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    basic: tuple[str, str] | None = None
    says: str = ""
    body: str = ""
    words: Mapping[str, str] = {}


class CredentialType(msgspec.Struct, frozen=True):
    """A kind of credential.

    Attributes:
        trial: A call over HTTP; None when there is another way, or none.
        reach: Another way: `smtp` or `postgres`.
        is_open: Takes any fields.
        provider: The OAuth provider whose consent it needs; `*` for the one named in its fields.
    """

    name: str
    title: str
    fields: tuple[Field, ...] = ()
    trial: HttpTrial | None = None
    reach: str = ""
    is_open: bool = False
    provider: str = ""

    @property
    def is_testable(self) -> bool:
        """Whether it can be tried out."""
        return self.trial is not None or bool(self.reach)


def _plain(name: str, title: str, *, required: bool = False, default: str = "") -> Field:
    """Say a field that is no secret."""
    return Field(name, title, secret=False, required=required, default=default)


TEST_URL = _plain("test_url", "Address that answers 2xx to a working credential")
_AUTHORIZE = _plain("authorize_url", "Where people agree, for a provider that is not in the list")
_TOKEN = _plain("token_url", "Where tokens come from, for a provider that is not in the list")
_SCOPE = _plain("scope", "Scopes, separated by spaces")
_AUTHENTICATION = Field(
    "authentication", "Where such a provider wants client id and secret", False, False, ("header", "body")
)
_CLIENT = (
    _plain("client_id", "Client id", required=True),
    Field("client_secret", "Client secret", required=False),
)
_DATABASE = (
    _plain("host", "Host", required=True),
    _plain("database", "Database", required=True),
    _plain("username", "User", required=True),
    Field("password", "Password"),
)

TYPES: Sequence[CredentialType] = (
    CredentialType(
        "api_key",
        "API key",
        (Field("api_key", "Key"), _plain("header", "Header it is sent in", default="X-API-Key"), TEST_URL),
        HttpTrial("{test_url}", headers=(("{header}", "{api_key}"),)),
    ),
    CredentialType(
        "bearer_token",
        "Bearer token",
        (Field("token", "Token"), TEST_URL),
        HttpTrial("{test_url}", headers=(("Authorization", "Bearer {token}"),)),
    ),
    CredentialType(
        "basic_auth",
        "User and password",
        (_plain("username", "User", required=True), Field("password", "Password"), TEST_URL),
        HttpTrial("{test_url}", basic=("username", "password")),
    ),
    CredentialType(
        "oauth2",
        "OAuth 2",
        (_plain("provider", "Provider"), *_CLIENT, _AUTHORIZE, _TOKEN, _SCOPE, _AUTHENTICATION),
        provider="*",
    ),
    CredentialType(
        "smtp",
        "Mail server",
        (
            _plain("host", "Host", required=True),
            _plain("port", "Port", default="587"),
            _plain("username", "User"),
            Field("password", "Password", required=False),
            Field(
                "security",
                "How the connection is protected",
                secret=False,
                required=False,
                choices=("starttls", "tls", "none"),
                default="starttls",
            ),
            _plain("from", "Sender"),
        ),
        reach="smtp",
    ),
    CredentialType(
        "slack",
        "Slack",
        (Field("token", "Bot token (xoxb-…)"),),
        HttpTrial(
            "https://slack.com/api/auth.test", "POST", (("Authorization", "Bearer {token}"),), says="ok"
        ),
    ),
    CredentialType(
        "stripe",
        "Stripe",
        (Field("api_key", "Secret key"),),
        HttpTrial("https://api.stripe.com/v1/balance", headers=(("Authorization", "Bearer {api_key}"),)),
    ),
    CredentialType(
        "github",
        "GitHub",
        (Field("token", "Access token"),),
        HttpTrial("https://api.github.com/user", headers=(("Authorization", "Bearer {token}"),)),
    ),
    CredentialType("google", "Google", (*_CLIENT, _SCOPE), provider="google"),
    CredentialType(
        "twilio",
        "Twilio",
        (_plain("account_sid", "Account SID", required=True), Field("auth_token", "Auth token")),
        HttpTrial(
            "https://api.twilio.com/2010-04-01/Accounts/{account_sid}.json",
            basic=("account_sid", "auth_token"),
        ),
    ),
    CredentialType("database_mysql", "MySQL", (*_DATABASE, _plain("port", "Port", default="3306"))),
    CredentialType(
        "database_postgres",
        "PostgreSQL",
        (
            *_DATABASE,
            _plain("port", "Port", default="5432"),
            Field("ssl", "TLS", False, False, ("prefer", "require", "disable"), "prefer"),
        ),
        reach="postgres",
    ),
    CredentialType(
        "africastalking",
        "Africa's Talking",
        (
            _plain("username", "User", required=True),
            Field("api_key", "API key"),
            Field("environment", "Environment", False, False, ("production", "sandbox"), "production"),
            _plain("short_code", "Short code or sender id"),
        ),
        HttpTrial(
            "https://api.{environment}africastalking.com/version1/user?username={username}",
            headers=(("apiKey", "{api_key}"), ("Accept", "application/json")),
            words={"production": "", "sandbox": "sandbox."},
        ),
    ),
    CredentialType(
        "zapier_mcp",
        "Zapier MCP",
        (_plain("endpoint", "Address of the MCP server", required=True), Field("api_key", "API key")),
        HttpTrial(
            "{endpoint}",
            "POST",
            (
                ("Authorization", "Bearer {api_key}"),
                ("Content-Type", "application/json"),
                ("Accept", "application/json, text/event-stream"),
            ),
            body='{"jsonrpc":"2.0","id":1,"method":"ping"}',
        ),
    ),
    CredentialType(
        "openai",
        "OpenAI, or whatever speaks like it",
        (
            Field("api_key", "API key"),
            _plain("base_url", "Address of the API", default="https://api.openai.com/v1"),
        ),
        HttpTrial("{base_url}/models", headers=(("Authorization", "Bearer {api_key}"),)),
    ),
    CredentialType(
        "anthropic",
        "Anthropic",
        (
            Field("api_key", "API key"),
            _plain("base_url", "Address of the API", default="https://api.anthropic.com"),
        ),
        HttpTrial(
            "{base_url}/v1/models", headers=(("x-api-key", "{api_key}"), ("anthropic-version", "2023-06-01"))
        ),
    ),
    CredentialType("jobsprintApi", "JobSprint", (Field("api_key", "API key"),)),
    CredentialType("custom", "Anything else", is_open=True),
)

BY_NAME: Mapping[str, CredentialType] = {kind.name: kind for kind in TYPES}
ALIASES: Mapping[str, str] = {
    "basic": "basic_auth",
    "bearer": "bearer_token",
    "apiKey": "api_key",
    "postgres": "database_postgres",
    "mysql": "database_mysql",
    "oauth": "oauth2",
}
"""Other names of types, as other systems write them."""


def type_of(name: str) -> CredentialType:
    """Find a type by its name or another spelling.

    Raises:
        NotFound: There is none.
    """
    found = BY_NAME.get(ALIASES.get(name, name))
    if found is None:
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(BY_NAME)}."
        raise NotFound(f"There is no type of credential {name[:100]!r}{hint}", type=name[:100])
    return found


def checked(kind: CredentialType, data: Mapping[str, Json]) -> Mapping[str, Json]:
    """Check the fields of a credential against its type and add what is there by default.

    Raises:
        Invalid: `credential.fields`: one is missing, unknown or not text; `details["fields"]` lists all.
    """
    if kind.is_open:
        return dict(data)
    wrong: dict[str, str] = {}
    known = {field.name: field for field in kind.fields}
    for name in data.keys() - known.keys():
        near = difflib.get_close_matches(name, known, n=1)
        wrong[name] = f"is not a field of {kind.name}" + (f"; did you mean {near[0]!r}?" if near else "")
    kept: dict[str, Json] = {}
    for field in kind.fields:
        value = data.get(field.name)
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if value is None or value == "":
            if field.required:
                wrong[field.name] = "is missing"
            elif field.default:
                kept[field.name] = field.default
        elif not isinstance(value, str):
            wrong[field.name] = "must be text"
        elif field.choices and value not in field.choices:
            wrong[field.name] = f"must be one of {', '.join(field.choices)}"
        else:
            kept[field.name] = value
    if wrong:
        said = "; ".join(f"{name} {why}" for name, why in sorted(wrong.items()))
        raise Invalid(
            f"These fields do not make a {kind.title}: {said}.", code="credential.fields", fields=wrong
        )
    return kept
