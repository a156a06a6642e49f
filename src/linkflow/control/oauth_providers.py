"""Services whose accounts can be connected by OAuth 2, as data."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json


class Provider(msgspec.Struct, frozen=True):
    """Where people agree, and where tokens come from.

    Attributes:
        scope: Asked for when nobody says.
        extra: More that the first address is sent.
        is_basic: The token endpoint wants client id and secret in the Authorization header.
    """

    name: str
    title: str
    authorize_url: str
    token_url: str
    scope: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    is_basic: bool = False


PROVIDERS: Sequence[Provider] = (
    Provider(
        "google",
        "Google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "openid email",
        (("access_type", "offline"), ("prompt", "consent")),
    ),
    Provider(
        "microsoft",
        "Microsoft",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "offline_access User.Read",
    ),
    Provider(
        "github",
        "GitHub",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "read:user",
    ),
    Provider(
        "gitlab",
        "GitLab",
        "https://gitlab.com/oauth/authorize",
        "https://gitlab.com/oauth/token",
        "read_user",
    ),
    Provider(
        "slack",
        "Slack",
        "https://slack.com/oauth/v2/authorize",
        "https://slack.com/api/oauth.v2.access",
        "chat:write",
    ),
    Provider(
        "notion",
        "Notion",
        "https://api.notion.com/v1/oauth/authorize",
        "https://api.notion.com/v1/oauth/token",
        extra=(("owner", "user"),),
        is_basic=True,
    ),
    Provider(
        "hubspot",
        "HubSpot",
        "https://app.hubspot.com/oauth/authorize",
        "https://api.hubapi.com/oauth/v1/token",
        "oauth",
    ),
    Provider(
        "dropbox",
        "Dropbox",
        "https://www.dropbox.com/oauth2/authorize",
        "https://api.dropboxapi.com/oauth2/token",
        extra=(("token_access_type", "offline"),),
    ),
    Provider(
        "salesforce",
        "Salesforce",
        "https://login.salesforce.com/services/oauth2/authorize",
        "https://login.salesforce.com/services/oauth2/token",
        "refresh_token api",
    ),
    Provider(
        "airtable",
        "Airtable",
        "https://airtable.com/oauth2/v1/authorize",
        "https://airtable.com/oauth2/v1/token",
        "data.records:read data.records:write",
        is_basic=True,
    ),
)

BY_NAME: Mapping[str, Provider] = {each.name: each for each in PROVIDERS}
CUSTOM = "custom"
"""The name of a provider that a credential describes by itself."""


def provider_of(fixed: str, fields: Mapping[str, Json]) -> Provider:
    """Find the provider of a credential, by its type or by its fields.

    Args:
        fixed: The provider of its type; `*` when its fields name one.
        fields: Of the credential.

    Raises:
        Invalid: `oauth.provider`: there is none of this name, or its addresses are missing.
    """
    name = str(fields.get("provider") or CUSTOM) if fixed == "*" else fixed
    if name in BY_NAME:
        return BY_NAME[name]
    authorize_url, token_url = str(fields.get("authorize_url") or ""), str(fields.get("token_url") or "")
    if not (_is_address(authorize_url) and _is_address(token_url)):
        raise Invalid(
            f"There is no provider {name[:40]!r}. Name one of {', '.join(BY_NAME)}, or say authorize_url and "
            "token_url.",
            code="oauth.provider",
        )
    is_basic = fields.get("authentication") != "body"
    return Provider(name, name, authorize_url, token_url, is_basic=is_basic)


def _is_address(url: str) -> bool:
    """Say whether a text is an address of the web."""
    parts = urlsplit(url)
    return parts.scheme in ("https", "http") and bool(parts.netloc)
