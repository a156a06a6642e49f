"""What a node says of an answer: its output, or the error that a status stands for."""

import base64
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from linkflow.domain.errors import ActivityError, Kind
from linkflow.domain.values import Json, decode_json
from linkflow.ports.outbound import HttpResponse

JSON_TWICE_BYTES = 256 * 1024
"""A body above this is given as `body` only, not as `json` too."""

SHOWN_BYTES = 2_000
"""So much of an error's body goes into the error's details."""

ERROR_OUTPUT = {
    "status": 0,
    "status_code": 0,
    "statusCode": 0,
    "statusText": "",
    "headers": {},
    "body": None,
    "json": None,
}
_TEXTUAL = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


def answer_output(response: HttpResponse, wanted: Json) -> dict[str, Json]:
    """Give the node's output, in every spelling that specs use.

    Args:
        response: The answer.
        wanted: How its body is read: auto, json, text or base64.

    Raises:
        ActivityError: `http.not_json`: JSON was asked for, and it is none.
    """
    body, encoding = _read(response, wanted)
    output = {
        "status": response.status,
        "status_code": response.status,
        "statusCode": response.status,
        "statusText": response.reason,
        "ok": response.status < 400,
        "headers": dict(response.headers),
        "body": body,
        "json": body,
        "url": response.url,
        "duration": round(response.duration_ms, 3),
        "duration_ms": round(response.duration_ms, 3),
    }
    if len(response.body) > JSON_TWICE_BYTES:
        del output["json"]
    if encoding:
        output["body_encoding"] = encoding
    return output


def _read(response: HttpResponse, wanted: Json) -> tuple[Json, str | None]:
    """Read the body as JSON, text or base64; the second says when it is base64."""
    mode = {True: "auto", False: "text", None: "auto", "binary": "base64"}.get(wanted, wanted)
    kind = response.headers.get("content-type", "").lower()
    if mode == "base64":
        return base64.b64encode(response.body).decode(), "base64"
    if mode == "json" or (mode == "auto" and "json" in kind):
        try:
            return (decode_json(response.body) if response.body else None), None
        except msgspec.DecodeError as error:
            if mode == "json":
                raise ActivityError(
                    "The answer is not JSON.",
                    code="http.not_json",
                    kind=Kind.PERMANENT,
                    status=response.status,
                ) from error
    charset = kind.partition("charset=")[2].partition(";")[0].strip("\"' ") or "utf-8"
    try:
        return response.body.decode(charset), None
    except (UnicodeDecodeError, LookupError):
        if mode == "text" or kind.startswith(_TEXTUAL):
            return response.body.decode("utf-8", "replace"), None
        return base64.b64encode(response.body).decode(), "base64"


def status_error(response: HttpResponse, config: Mapping[str, Json]) -> ActivityError:
    """Turn a status of 400 or more into an error whose kind says what to do (semantics, section 5)."""
    status = response.status
    further = config.get("retry_on_status") or ()
    kind = (
        Kind.RATE_LIMIT
        if status == 429
        else Kind.TRANSIENT
        if status >= 500 or status in further
        else Kind.PERMANENT
    )
    body, _ = _read(msgspec.structs.replace(response, body=response.body[:SHOWN_BYTES]), "auto")
    return ActivityError(
        f"The server answered {status}{' ' if response.reason else ''}{response.reason}.",
        code="http.status",
        kind=kind,
        retry_after_s=_retry_after_s(response.headers),
        refused=status in (429, 503),
        status=status,
        body=body,
        url=response.url.partition("?")[0],
    )


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date against the server's own Date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        if value.isdigit():
            return float(value)
        until, date = parsedate_to_datetime(value), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - date).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def failure_output(error: ActivityError) -> dict[str, Json]:
    """Give the output of a request that got no answer: status 0, `ok: false` and the error."""
    return {
        **ERROR_OUTPUT,
        "ok": False,
        "error": {"code": error.code, "kind": error.error.kind, "message": str(error)},
        "duration": 0.0,
        "duration_ms": 0.0,
    }
