"""Typed ids, JSON values, size limits and the canonical form of a value."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, NewType

import msgspec

Json = Any  # what msgspec decodes: None, bool, int, float, str, list, dict

ExecutionId = NewType("ExecutionId", str)
WorkflowId = NewType("WorkflowId", str)
WorkspaceId = NewType("WorkspaceId", str)

SHARDS = 4096
"""Fixed number of logical shards; an execution's shard is part of its id."""

INLINE_BYTES = 64 * 1024
"""A JSON value above this is kept in the blob store and referenced by its digest."""

OUTPUT_BYTES = 10 * 1024 * 1024
"""The largest output of one node (seed 004)."""

BLOB_KEY = "$blob"
"""The one key of an object that stands for a value kept in the blob store."""

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
decode_json = msgspec.json.Decoder().decode


def encode_json(value: Json) -> bytes:
    """Encode a JSON value compactly, keys in the order they have."""
    return _encode(value)


def canonical(value: Json) -> bytes:
    """Encode a value so that equal values give equal bytes: compact, keys sorted."""
    return _encode_sorted(value)


def digest(value: Json) -> str:
    """Hash the canonical form of a value: 64 lower-case hex digits of SHA-256."""
    return hashlib.sha256(canonical(value)).hexdigest()


def execution_id(at_ms: int, shard: int, chance: int) -> ExecutionId:
    """Build an execution id: a UUIDv8 that is ordered in time and carries its shard.

    Args:
        at_ms: Milliseconds since 1970, 48 bits.
        shard: The logical shard, [0, 4096).
        chance: Random bits; the lowest 62 are used.

    Source:
        RFC 9562, section 5.8: 48 bits of time, version 8, 12 bits of shard, variant, 62 random bits.
    """
    bits = (
        (at_ms & 0xFFFF_FFFF_FFFF) << 80
        | 0x8 << 76
        | (shard & 0xFFF) << 64
        | 0b10 << 62
        | chance & (1 << 62) - 1
    )
    text = f"{bits:032x}"
    return ExecutionId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def derived_execution_id(at_ms: int, *names: str) -> ExecutionId:
    """Derive an execution id from names, so that a repeat meets the same execution.

    Args:
        at_ms: The instant of its cause (parent's start, trigger event), which a repeat knows as well.
        names: What identifies it, for a child the parent's id and the node key.
    """
    bits = int.from_bytes(hashlib.sha256("\x1f".join(names).encode()).digest()[:16])
    return execution_id(at_ms, bits >> 62, bits)


def shard_of(execution: str) -> int:
    """Read the logical shard, [0, 4096), out of an execution id."""
    return int(execution[15:18], 16)


def started_at_ms(execution: str) -> int:
    """Read the milliseconds since 1970 out of an execution id."""
    return int(execution[:8] + execution[9:13], 16)


def is_execution_id(text: str) -> bool:
    """Say whether a text is an execution id of ours."""
    try:
        return uuid.UUID(text).version == 8
    except ValueError:
        return False


def blob_reference(sha256: str, size_bytes: int) -> Json:
    """Build the value that stands for a blob: `{"$blob": "<sha256>", "bytes": n}`."""
    return {BLOB_KEY: sha256, "bytes": size_bytes}


def blob_of(value: Json) -> str | None:
    """Read the sha256 out of a blob reference, or None when the value is a plain one."""
    if isinstance(value, Mapping) and len(value) == 2:
        found = value.get(BLOB_KEY)
        if isinstance(found, str) and "bytes" in value:
            return found
    return None
