"""The body of a request, by body type; the same bytes for every attempt."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from linkflow.domain.errors import Invalid
from linkflow.domain.handles import handle_text
from linkflow.domain.values import Json, encode_json

BODY_TYPES = ("auto", "none", "json", "form", "multipart", "raw", "text", "xml", "binary")


def encode_body(body: Json, body_type: str, boundary: str) -> tuple[bytes | None, str | None]:
    """Encode a body.

    Args:
        body: By type: any JSON; for form an object; for multipart an object, or a list of
            `{"name", "value" | "base64", "filename"?, "content_type"?}`; for binary base64 text.
        body_type: One of BODY_TYPES; `auto` sends text as text and everything else as JSON.
        boundary: Between the parts of multipart.

    Returns:
        The bytes and their content type; None and None for no body.

    Raises:
        Invalid: `node.config`: the body does not fit its type.
    """
    if body_type == "none" or (body is None and body_type == "auto"):
        return None, None
    match body_type:
        case "auto" if isinstance(body, str):
            return body.encode(), _guess(body)
        case "auto" | "json":
            is_encoded = body_type == "json" and isinstance(body, str) and body[:1] in ("{", "[", '"')
            return body.encode() if is_encoded else encode_json(body), "application/json"
        case "form":
            return urlencode(pairs(body), doseq=True).encode(), "application/x-www-form-urlencoded"
        case "multipart":
            return _multipart(body, boundary), f"multipart/form-data; boundary={boundary}"
        case "raw" | "text":
            return _text(body).encode(), "text/plain; charset=utf-8"
        case "xml":
            return _text(body).encode(), "application/xml"
        case "binary":
            return _bytes(body), "application/octet-stream"
    raise Invalid(
        f"{body_type[:40]!r} is not a body type; take one of {', '.join(BODY_TYPES)}.", code="node.config"
    )


def pairs(value: Json) -> Sequence[tuple[str, str]]:
    """See an object, or a list of `{"name" | "key", "value"}`, as pairs of text; null values are left out.

    Raises:
        Invalid: `node.config`: it is neither.
    """
    found: list[tuple[str, str]] = []
    if value is None or value == "":
        return found
    if isinstance(value, Mapping):
        for name, item in value.items():
            values = item if isinstance(item, list) else [item]
            found.extend((name, _text(each)) for each in values if each is not None)
        return found
    if isinstance(value, list):
        for entry in value:
            name = (entry.get("name") or entry.get("key")) if isinstance(entry, Mapping) else None
            if not isinstance(name, str):
                raise Invalid("Each entry of the list needs a `name` and a `value`.", code="node.config")
            if entry.get("value") is not None:
                found.append((name, _text(entry["value"])))
        return found
    raise Invalid("Headers, query and forms are objects, or lists of `{name, value}`.", code="node.config")


def _guess(body: str) -> str:
    return "application/json" if body.lstrip()[:1] in ("{", "[") else "text/plain; charset=utf-8"


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return encode_json(value).decode() if isinstance(value, dict | list) else handle_text(value)


def _bytes(value: Json) -> bytes:
    text: Any = value.get("base64") if isinstance(value, Mapping) else value
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Invalid("A binary body is base64 text.", code="node.config") from error


def _multipart(body: Json, boundary: str) -> bytes:
    parts: list[bytes] = []
    for entry in _parts(body):
        data = _bytes(entry["base64"]) if "base64" in entry else _text(entry.get("value")).encode()
        disposition = f'form-data; name="{_quoted(entry["name"])}"'
        if entry.get("filename"):
            disposition += f'; filename="{_quoted(entry["filename"])}"'
        lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
        if entry.get("content_type"):
            lines.append(f"Content-Type: {_plain(entry['content_type'])}")
        parts += ["\r\n".join(lines).encode(), b"\r\n\r\n", data, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _parts(body: Json) -> Sequence[Mapping[str, Json]]:
    if isinstance(body, Mapping):
        return [
            {
                "name": name,
                **(
                    value
                    if isinstance(value, Mapping) and {"value", "base64"} & set(value)
                    else {"value": value}
                ),
            }
            for name, value in body.items()
        ]
    if isinstance(body, list) and all(isinstance(part, Mapping) and part.get("name") for part in body):
        return body
    raise Invalid("A multipart body is an object, or a list of `{name, value}`.", code="node.config")


def _quoted(value: Json) -> str:
    return _plain(value).replace("\\", "%5C").replace('"', "%22")


def _plain(value: Json) -> str:
    text = _text(value)
    if "\r" in text or "\n" in text:
        raise Invalid("Names, file names and content types have one line.", code="node.config")
    return text
