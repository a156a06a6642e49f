"""The schema, revision by revision: Alembic keeps the order, the bodies are SQL.

A revision is `versions/v<four digits>_<pre|post>_<what>.py`. `pre` is safe while the code before it still
runs; `post` may run once that code is gone. Numbers have no gaps and the line has no branches.
`scripts/revision.py pre "what it does"` writes the next one. There is no way down: a backup is.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
VERSION_TABLE = "control.schema_version"
