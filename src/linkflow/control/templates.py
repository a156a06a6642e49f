"""Templates: workflows to begin with, the packaged examples."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json, decode_json


class Template(msgspec.Struct, frozen=True):
    """Workflows to begin with.

    Attributes:
        slug: The file's name.
        spec: The workflow; of a bundle the first one.
        document: The whole file, as an import takes it.
    """

    slug: str
    name: str
    description: str
    tags: Sequence[str]
    spec: Json
    document: Json


class Templates:
    """The examples, read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Sequence[Template] | None = None

    def list(self) -> Sequence[Template]:
        """List templates by slug."""
        if self._read is None:
            self._read = [_template(path) for path in sorted(self._folder.glob("*.json"))]
        return self._read

    def read(self, slug: str) -> Template:
        """Read a template.

        Raises:
            NotFound: No such template.
        """
        for template in self.list():
            if template.slug == slug:
                return template
        raise NotFound("There is no such template.", template=slug)


def _template(path: Path) -> Template:
    """Read the file of a template: a spec, `{"name", "description", "tags", "spec"}`, or a bundle of them."""
    found = decode_json(path.read_bytes())
    spec = found.get("workflows", [found])[0]
    spec = spec.get("spec", spec)
    metadata = spec.get("metadata", {})
    return Template(
        slug=path.stem,
        name=found.get("name") or metadata.get("name") or path.stem,
        description=found.get("description") or metadata.get("description") or "",
        tags=found.get("tags") or metadata.get("tags") or [],
        spec=spec,
        document=found,
    )
