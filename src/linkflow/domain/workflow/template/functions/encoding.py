"""Functions that encode and decode: JSON, base64, hex."""

import base64
import binascii

import msgspec

from linkflow.domain.values import Json, decode_json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, text
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import to_json, to_text


def json_parse(meter: Meter, value: Json) -> Json:
    """Read JSON text; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    meter.look(len(value))
    meter.produce(len(value))
    try:
        return decode_json(value.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FunctionFailed(f"This is not JSON: {error}.") from None


def json_stringify(meter: Meter, value: Json) -> str:
    """Write a value as compact JSON."""
    return to_json(value, meter)


def base64_encode(meter: Meter, value: Json) -> str:
    """Encode text as base64."""
    found = to_text(value, meter)
    meter.produce(2 * len(found))
    return base64.b64encode(found.encode("utf-8", "replace")).decode()


def base64_decode(meter: Meter, value: Json) -> str:
    """Decode base64, also the form for addresses, to text."""
    found = text(value)
    meter.produce(len(found))
    standard = found.strip().replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        raise FunctionFailed("This is not base64 of text.") from None


def hex_encode(meter: Meter, value: Json) -> str:
    """Encode text as hex digits."""
    found = text(value)
    meter.produce(8 * len(found))
    return found.encode("utf-8", "replace").hex()


def hex_decode(meter: Meter, value: Json) -> str:
    """Decode hex digits to text."""
    found = text(value)
    meter.produce(len(found))
    try:
        return bytes.fromhex(found).decode()
    except ValueError:
        raise FunctionFailed("These are not hex digits of text.") from None


ENCODING = family(
    "encoding",
    define(json_parse, """jsonParse('{"a": 1}')""", {"a": 1}, "parseJson", "fromJson"),
    define(json_stringify, "jsonStringify({a: [1, null]})", '{"a":[1,null]}', "toJson", "json"),
    define(base64_encode, "base64Encode('user:pass')", "dXNlcjpwYXNz", "base64", "btoa", "toBase64"),
    define(base64_decode, "base64Decode('dXNlcjpwYXNz')", "user:pass", "atob", "fromBase64"),
    define(hex_encode, "hexEncode('AB')", "4142", "hex"),
    define(hex_decode, "hexDecode('4142')", "AB"),
)
