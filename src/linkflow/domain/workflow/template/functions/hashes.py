"""Functions that hash."""

import hashlib
import hmac as hmac_module

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.functions.table import define, family, text
from linkflow.domain.workflow.template.meter import Meter
from linkflow.domain.workflow.template.operators import to_text

_ALGORITHMS = ("sha256", "sha1", "sha512", "sha384", "md5")


def _bytes(meter: Meter, value: Json) -> bytes:
    found = to_text(value, meter)
    meter.produce(len(found))
    return found.encode("utf-8", "replace")


def _algorithm(name: Json) -> str:
    found = text(name).lower().replace("-", "")
    if found not in _ALGORITHMS:
        raise FunctionFailed(f"There is no algorithm {found[:20]!r}; use one of {', '.join(_ALGORITHMS)}.")
    return found


def hash_(meter: Meter, value: Json, algorithm: Json = "sha256") -> str:
    """Hash text, or a value as JSON, to hex digits; md5 and sha1 only for receivers that ask for them."""
    return hashlib.new(_algorithm(algorithm), _bytes(meter, value), usedforsecurity=False).hexdigest()


def sha256(meter: Meter, value: Json) -> str:
    """Hash with SHA-256 to hex digits."""
    return hash_(meter, value, "sha256")


def sha512(meter: Meter, value: Json) -> str:
    """Hash with SHA-512 to hex digits."""
    return hash_(meter, value, "sha512")


def sha1(meter: Meter, value: Json) -> str:
    """Hash with SHA-1 to hex digits."""
    return hash_(meter, value, "sha1")


def md5(meter: Meter, value: Json) -> str:
    """Hash with MD5 to hex digits."""
    return hash_(meter, value, "md5")


def hmac(meter: Meter, value: Json, key: Json, algorithm: Json = "sha256") -> str:
    """Sign text with a key to hex digits."""
    return hmac_module.new(_bytes(meter, key), _bytes(meter, value), _algorithm(algorithm)).hexdigest()


HASHES = family(
    "hashes",
    define(hash_, "hash('a', 'md5')", "0cc175b9c0f1b6a831c399e269772661"),
    define(sha256, "sha256('')", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    define(sha512, "sha512('') | substring(0, 16)", "cf83e1357eefb8bd"),
    define(sha1, "sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    define(md5, "md5('')", "d41d8cd98f00b204e9800998ecf8427e"),
    define(
        hmac,
        "hmac('Hello, World!', \"It's a Secret to Everybody\")",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "hmacSha256",
    ),
)
