"""Digests, signatures and encodings of text."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, unquote

from linkflow.domain.errors import Invalid
from linkflow.domain.node import NodeClass, NodeSpec, PureContext, PureResult
from linkflow.domain.values import Json, canonical
from linkflow.domain.workflow.template import Credential, SealedText
from linkflow.nodes.schema import anything, record, spelled, text

ALGORITHMS = ("sha256", "sha512", "sha384", "sha1", "sha224", "md5", "sha3_256", "sha3_512", "blake2b")
ENCODINGS = ("hex", "base64", "base64url")
OPERATIONS = ("hash", "hmac", "verify", "encode", "decode", "uuid", "random")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
LONGEST = 1024


class Crypto:
    """Digest, sign, encode."""

    spec = NodeSpec(
        type="data.crypto",
        title="Crypto",
        summary="Hash or sign text, encode and decode it, or make an id.",
        node_class=NodeClass.PURE,
        aliases=("logic.crypto", "crypto", "data_crypto", "data.hash", "n8n-nodes-base.crypto"),
        parameters=record(
            {
                **spelled(text("What to do.", default="hash", choices=OPERATIONS), "operation", "action"),
                **spelled(
                    anything("The text; anything else is its canonical JSON. Without it, the input."),
                    "value",
                    "text",
                    "input",
                    "data",
                ),
                "algorithm": text("Digest.", default="sha256"),
                **spelled(text("Key, for hmac and verify."), "key", "secret"),
                **spelled(text("Signature to compare with, for verify."), "signature", "expected"),
                "encoding": text(
                    "How bytes are written: hex, base64, base64url; for encode and decode also url.",
                    default="hex",
                ),
                **spelled(anything("Characters, for random.", default=32), "length", "size"),
            }
        ),
        output={"value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        example={"operation": "hash", "value": "{{trigger.email}}", "algorithm": "sha256"},
        docs="""\
`uuid` and `random` repeat when an execution is replayed, and are not for secrets: take credentials for those.
A key cannot be a credential here, since secrets are sealed where this node runs.""",
    )

    def evaluate(self, config: Mapping[str, Json], context: PureContext) -> PureResult:
        """Do the operation."""
        operation = str(config.get("operation") or "hash")
        if operation == "uuid":
            return _value(_uuid(context))
        if operation == "random":
            return _value(_random(config, context))
        given = config["value"] if "value" in config else context.input  # noqa: SIM401  the input may be large
        data = _bytes(given)
        match operation:
            case "hash":
                return _value(_encoded(_digest(config, data), config))
            case "hmac":
                return _value(_encoded(_signature(config, data), config))
            case "verify":
                found = _encoded(_signature(config, data), config)
                wanted = (
                    str(config.get("signature") or "").rpartition("=")[2]
                    if _is_hex(config)
                    else str(config.get("signature"))
                )
                return PureResult(output={"value": hmac.compare_digest(found.encode(), wanted.encode())})
            case "encode":
                return _value(
                    quote(data, safe="")
                    if config.get("encoding") == "url"
                    else _encoded(data, config, "base64")
                )
            case "decode":
                return _value(_decoded(data, config))
        raise Invalid(f"{operation[:30]!r} is not an operation of data.crypto.", code="node.config")


def _value(value: Json) -> PureResult:
    return PureResult(output={"value": value})


def _bytes(value: Json) -> bytes:
    if isinstance(value, Credential | SealedText):
        raise Invalid("A credential is sealed here; see the page of this node.", code="node.config")
    return value.encode() if isinstance(value, str) else canonical(value)


def _algorithm(config: Mapping[str, Json]) -> str:
    name = str(config.get("algorithm") or "sha256").lower().replace("-", "")
    if name not in ALGORITHMS:
        raise Invalid(
            f"{name[:30]!r} is not a digest; take one of {', '.join(ALGORITHMS)}.", code="node.config"
        )
    return name


def _digest(config: Mapping[str, Json], data: bytes) -> bytes:
    return hashlib.new(_algorithm(config), data, usedforsecurity=False).digest()


def _signature(config: Mapping[str, Json], data: bytes) -> bytes:
    key = config.get("key")
    if key is None or key == "":
        raise Invalid("Signing needs a `key`.", code="node.config")
    return hmac.new(_bytes(key), data, _algorithm(config)).digest()


def _is_hex(config: Mapping[str, Json]) -> bool:
    return str(config.get("encoding") or "hex") == "hex"


def _encoded(data: bytes, config: Mapping[str, Json], default: str = "hex") -> str:
    match str(config.get("encoding") or default):
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "base64url":
            return base64.urlsafe_b64encode(data).decode().rstrip("=")
    raise Invalid(f"Bytes are written as {', '.join(ENCODINGS)}.", code="node.config")


def _decoded(data: bytes, config: Mapping[str, Json]) -> str:
    encoding = str(config.get("encoding") or "base64")
    try:
        if encoding == "url":
            return unquote(data.decode(), errors="strict")
        if encoding == "hex":
            return bytes.fromhex(data.decode()).decode()
        padded = data.replace(b"-", b"+").replace(b"_", b"/").strip()
        return base64.b64decode(padded + b"=" * (-len(padded) % 4), validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"The text is not {encoding[:20]} of text.", code="crypto.decode") from error


def _uuid(context: PureContext) -> str:
    bits = 0
    for _ in range(4):
        bits = bits << 32 | int(context.draw() * 2**32)
    bits = bits & ~(0xF << 76) | 0x4 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    found = f"{bits:032x}"
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def _random(config: Mapping[str, Json], context: PureContext) -> str:
    try:
        length = int(config.get("length", 32))
    except (TypeError, ValueError):
        length = 0
    if not 1 <= length <= LONGEST:
        raise Invalid(f"`length` is a whole number from 1 to {LONGEST}.", code="node.config")
    return "".join(_LETTERS[int(context.draw() * len(_LETTERS))] for _ in range(length))


CRYPTO = (Crypto(),)
