"""Puter as an identity provider: the browser signs in there, and we ask Puter whose the token is.

Puter lets no server sign people in by password, so this stands beside our own sign-in and never before it.
"""

import msgspec

from linkflow.domain.errors import ActivityError, Unauthenticated, Unavailable
from linkflow.ports.elsewhere import Vouched
from linkflow.ports.outbound import HttpClient, HttpRequest

ISSUER = "https://puter.com"


class WhoAmI(msgspec.Struct):
    """What Puter says of a token's user; an app's token gets the address only when it was granted."""

    uuid: str
    username: str = ""
    email: str | None = None
    email_confirmed: bool | int = False
    is_temp: bool = False


class PuterVouching:
    """Asks Puter.

    Args:
        api_url: Origin of its API.
        http: May call it.
    """

    def __init__(self, api_url: str, http: HttpClient) -> None:
        self._api_url, self._http = api_url.rstrip("/"), http

    async def vouch(self, token: str) -> Vouched:
        """Ask whose a token is."""
        request = HttpRequest(
            method="GET",
            url=f"{self._api_url}/whoami",
            headers={"authorization": f"Bearer {token}", "accept": "application/json"},
            timeout_s=10.0,
            max_bytes=64 * 1024,
            follow_redirects=False,
        )
        try:
            response = await self._http.send(request)
        except ActivityError as error:
            raise Unavailable(f"Puter does not answer: {error}", code="sign_in.provider") from error
        if response.status >= 500 or response.status == 429:
            raise Unavailable("Puter does not answer as it should; try again.", code="sign_in.provider")
        try:
            found = msgspec.json.decode(response.body, type=WhoAmI)
        except msgspec.DecodeError:
            found = None
        if response.status != 200 or found is None or found.is_temp:
            raise Unauthenticated("Puter does not know this token.", code="sign_in.refused")
        return Vouched(
            issuer=ISSUER,
            subject=found.uuid,
            email=(found.email or "").strip().lower(),
            is_email_verified=bool(found.email_confirmed),
            name=found.username,
        )
