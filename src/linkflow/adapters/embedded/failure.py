"""What went wrong with the embedded server, in words that say what to do."""

from linkflow.domain.errors import Unavailable


class EmbeddedPostgresFailed(Unavailable):
    """LinkFlow could not start its own PostgreSQL."""

    code = "database.embedded_failed"
