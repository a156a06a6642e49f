"""Write the next, empty schema revision.

Usage: revision.py pre|post "what it does"
"""

import sys

from alembic import command

from linkflow.adapters.sql.migrations.alembic import config
from linkflow.adapters.sql.schema import revisions


def main() -> None:
    """Create the file with the next number."""
    if len(sys.argv) != 3 or sys.argv[1] not in {"pre", "post"}:
        raise SystemExit(__doc__)
    number = f"{int(revisions()[-1][0]) + 1:04d}"
    command.revision(config(), message=f"{sys.argv[1]} {sys.argv[2]}", rev_id=number)


if __name__ == "__main__":
    main()
