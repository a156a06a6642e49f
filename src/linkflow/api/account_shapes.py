"""The JSON shapes of accounts, workspaces, members and keys, for OpenAPI."""

from typing import Any

from pydantic import BaseModel


class Person(BaseModel):
    """A user as they see themselves."""

    id: str
    email: str
    name: str
    email_verified: bool
    created_at: str


class Me(BaseModel):
    """Who is signed in, in which workspace, as what."""

    id: str
    email: str
    name: str
    role: str
    workspace_id: str
    scopes: list[str]
    permissions: list[str]
    is_operator: bool


class SignedInUser(BaseModel):
    """Who has just signed in."""

    id: str
    email: str
    name: str
    role: str
    workspace_id: str
    email_verified: bool


class SignedIn(BaseModel):
    """An access token and how long it holds, seconds; a refresh token that works once."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: SignedInUser


class SignInLine(BaseModel):
    """A sign-in in a list."""

    id: str
    created_at: str
    expires_at: str
    device: str
    address: str
    client_id: str
    scopes: list[str]
    is_current: bool


class SignIns(BaseModel):
    """The sign-ins of a user."""

    data: list[SignInLine]
    next: str | None


class Key(BaseModel):
    """An API key in a list."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class MadeKey(Key):
    """An API key just made; `token` is shown this once."""

    token: str


class Keys(BaseModel):
    """The API keys of a user in a workspace."""

    data: list[Key]
    next: str | None


class Done(BaseModel):
    """What was asked for was taken in; the words are the same whether there is such a user or not."""

    message: str


class Provider(BaseModel):
    """A service to sign in with."""

    name: str


class Providers(BaseModel):
    """Services to sign in with."""

    data: list[Provider]
    next: str | None


class ServerMetadata(BaseModel):
    """What an OAuth server can do (RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    response_types_supported: list[str]
    grant_types_supported: list[str]
    code_challenge_methods_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]


class Redirect(BaseModel):
    """Where to send the browser."""

    redirect_to: str


class ClientTokens(BaseModel):
    """Tokens of an API client."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None


class OAuthError(BaseModel):
    """An error in OAuth's own words."""

    error: str
    error_description: str


class Introspection(BaseModel):
    """What a token is worth (RFC 7662)."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: str | None = None
    sub: str | None = None
    aud: str | None = None
    iss: str | None = None
    exp: int | None = None
    iat: int | None = None
    jti: str | None = None
    team: str | None = None


class Client(BaseModel):
    """An API client in a list."""

    client_id: str
    name: str
    redirect_uris: list[str]
    scopes: list[str]
    public: bool
    created_by: str
    created_at: str


class MadeClient(Client):
    """An API client just made; `client_secret` is shown this once."""

    client_secret: str | None


class Clients(BaseModel):
    """The API clients of a workspace."""

    data: list[Client]
    next: str | None


class KeySet(BaseModel):
    """A JSON Web Key Set."""

    keys: list[dict[str, Any]]


class Email(BaseModel):
    """Whose it is."""

    email: str


class Workspace(BaseModel):
    """A workspace and the caller's role in it."""

    id: str
    name: str
    slug: str
    logo: str
    settings: dict[str, Any]
    role: str
    created_at: str


class Workspaces(BaseModel):
    """The workspaces of a user."""

    data: list[Workspace]
    next: str | None


class Member(BaseModel):
    """A member of a workspace."""

    user_id: str
    email: str
    name: str
    role: str
    joined_at: str


class Members(BaseModel):
    """The members of a workspace."""

    data: list[Member]
    next: str | None


class Invitation(BaseModel):
    """An invitation that still can be accepted."""

    id: str
    email: str
    role: str
    invited_by: str
    created_at: str
    expires_at: str


class MadeInvitation(Invitation):
    """An invitation just made; `link` also went out by e-mail."""

    link: str


class Invitations(BaseModel):
    """The invitations of a workspace."""

    data: list[Invitation]
    next: str | None


class Offer(BaseModel):
    """What an invitation offers."""

    workspace_id: str
    workspace: str
    email: str
    role: str
    invited_by: str
    expires_at: str


class Joined(BaseModel):
    """The workspace that was joined; tokens when the caller registered or signed in with it."""

    workspace_id: str
    role: str
    access_token: str | None = None
    refresh_token: str | None = None
    token_type: str | None = None
    expires_in: int | None = None
