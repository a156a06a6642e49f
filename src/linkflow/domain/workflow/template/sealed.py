"""Secrets are not values: what `{{credential.x}}` renders to, and how a worker opens it.

A seal is a type of its own, never JSON, so no data from outside can pass for one.
"""

from collections.abc import Iterable, Mapping

import msgspec

from linkflow.domain.values import Json
from linkflow.domain.workflow.template.errors import Unresolved


class Credential(msgspec.Struct, frozen=True):
    """The place of one credential, or of one field of it.

    Attributes:
        name: Name or id of the credential.
        path: Keys into its fields; empty means the whole object.
    """

    name: str
    path: tuple[str, ...] = ()


class SealedText(msgspec.Struct, frozen=True):
    """Text with credentials in it, in order."""

    parts: tuple[str | Credential, ...]


def credentials_of(roots: Iterable[str]) -> frozenset[str]:
    """List the credentials that a template's roots name."""
    return frozenset(root.removeprefix("credential:") for root in roots if root.startswith("credential:"))


def unseal(value: Json, secrets: Mapping[str, Mapping[str, Json]]) -> Json:
    """Put secrets where a rendered config holds their seals; only a worker does this.

    Args:
        value: What `Template.render` gave.
        secrets: Fields of each credential by the name in `credentials_of`.

    Raises:
        Unresolved: A credential or a field of it does not exist.
    """
    if isinstance(value, Credential):
        return _open(value, secrets)
    if isinstance(value, SealedText):
        return "".join(part if isinstance(part, str) else _open_text(part, secrets) for part in value.parts)
    if isinstance(value, dict):
        return {key: unseal(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [unseal(item, secrets) for item in value]
    return value


def _open(seal: Credential, secrets: Mapping[str, Mapping[str, Json]]) -> Json:
    found: Json = secrets.get(seal.name)
    for key in seal.path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found is None:
        path = ".".join(("credential", seal.name, *seal.path))
        raise Unresolved(f"There is no {path}; check the credential's name and fields.", path=path)
    return found


def _open_text(seal: Credential, secrets: Mapping[str, Mapping[str, Json]]) -> str:
    found = _open(seal, secrets)
    if isinstance(found, Mapping):
        if len(found) != 1:
            path = ".".join(("credential", seal.name, *seal.path))
            raise Unresolved(
                f"{path} has several fields; name one of them: {', '.join(sorted(found))}.", path=path
            )
        (found,) = found.values()  # a credential of one field is its field
    return str(found)
