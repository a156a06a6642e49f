"""The command line's way to a running LinkFlow: its REST API, by address and token.

Both come from `LINKFLOW_ADDRESS` and `LINKFLOW_TOKEN`, else from the file that a running LinkFlow leaves in
its home. The standard library's client is enough here and starts in no time.
"""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from linkflow.domain.errors import Invalid, LinkFlowError, Unavailable
from linkflow.domain.values import Json

TIMEOUT_S = 60.0


class NotRunning(Unavailable):
    """No LinkFlow runs here."""

    code = "cli.not_running"


class Refused(LinkFlowError):
    """LinkFlow answered with an error.

    Attributes:
        problem: The answer, `problem+json`.
    """

    def __init__(self, problem: Mapping[str, Json]) -> None:
        self.problem = problem
        detail = str(problem.get("detail") or problem.get("title") or "no reason given")
        super().__init__(detail, code=str(problem.get("code", "error")))


class Remote:
    """A LinkFlow reached over HTTP."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._token = token

    @classmethod
    def find(cls, home: Path, environment: Mapping[str, str]) -> "Remote":
        """Find the LinkFlow that the command is for.

        Raises:
            NotRunning: None is known; the message says how to start one.
        """
        address, token = environment.get("LINKFLOW_ADDRESS"), environment.get("LINKFLOW_TOKEN")
        if address and token:
            return cls(address.rstrip("/"), token)
        try:
            known = json.loads((home / "connection.json").read_text())
        except (OSError, ValueError) as error:
            raise NotRunning(
                f"No LinkFlow runs on {home}. Start one with `make up`, set LINKFLOW_HOME to the folder of "
                "the one you mean, or set LINKFLOW_ADDRESS and LINKFLOW_TOKEN."
            ) from error
        return cls(known["address"], known["token"])

    def get(self, path: str, **query: Json) -> Json:
        """Read something below /api/v1."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return self._call("GET", f"{path}?{urlencode(given)}" if given else path)

    def post(self, path: str, body: Json = None) -> Json:
        """Do something below /api/v1."""
        return self._call("POST", path, {} if body is None else body)

    def _call(self, method: str, path: str, body: Json = None) -> Json:
        parts = urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, f"{parts.path}/api/v1{path}", body=data, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        except OSError as error:
            raise NotRunning(f"LinkFlow does not answer at {self.address}: {error}.") from error
        finally:
            connection.close()
        try:
            value = json.loads(text) if text else None
        except ValueError as error:
            raise Invalid(
                f"{self.address} answered with something that is not JSON; is it a LinkFlow?"
            ) from error
        if answer.status >= 400:
            raise Refused(value if isinstance(value, dict) else {"title": answer.reason})
        return value
