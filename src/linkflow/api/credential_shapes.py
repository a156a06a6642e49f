"""What answers about credentials and variables look like, for the OpenAPI."""

from typing import Any

from pydantic import BaseModel


class Credential(BaseModel):
    """A secret, without its value; state is ready, unconnected or needs_reauth."""

    id: str
    name: str
    type: str
    state: str
    expires_at: str | None
    last_used_at: str | None
    created_at: str
    updated_at: str


class CredentialField(BaseModel):
    """One field of a type."""

    name: str
    title: str
    secret: bool
    required: bool
    choices: list[str]
    default: str | None


class CredentialType(BaseModel):
    """A type of credentials; an open one takes any fields, one that needs consent is connected by OAuth."""

    name: str
    title: str
    is_open: bool
    is_testable: bool
    needs_consent: bool
    fields: list[CredentialField]


class CredentialTypes(BaseModel):
    """Types of credentials."""

    data: list[CredentialType]
    next: str | None


class Trial(BaseModel):
    """Whether a credential works, what was said, how long it took."""

    works: bool
    message: str
    took_ms: float


class Connecting(BaseModel):
    """Where to send the browser, and within how many seconds it must come back."""

    authorization_url: str
    expires_in: int


class OAuthProvider(BaseModel):
    """A service whose accounts can be connected; `redirect_uri` is what it must be told."""

    name: str
    title: str
    scope: str
    redirect_uri: str


class OAuthProviders(BaseModel):
    """Services whose accounts can be connected."""

    data: list[OAuthProvider]
    next: str | None


class Variable(BaseModel):
    """A variable; the value of a secret one is null."""

    key: str
    value: Any = None
    is_secret: bool
