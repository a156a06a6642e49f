"""Whether a database that was given by its address is one that this release can run on."""

from linkflow.adapters.sql.database import SchemaRefused
from linkflow.adapters.sql.schema import revisions, schema_version


async def require_schema(name: str, dsn: str) -> None:
    """Refuse a database of ours that lacks what this release needs to start: `linkflow migrate` brings it.

    A newer one is taken: while processes are replaced one by one, a release runs on the schema that the next
    one has prepared (`linkflow migrate --phase pre`).
    """
    found, needed = await schema_version(dsn), revisions("pre")[-1][0]
    if found is None or found < needed:
        raise SchemaRefused(
            f"The database of {name} has schema {found or 'none'}, this release needs {needed}. "
            "Run: linkflow migrate"
        )
