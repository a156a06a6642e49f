"""The PostgreSQL server that LinkFlow starts itself when it is given none.

The model::

    LinkFlow ──starts──> launch.py ──becomes──> postgres        (one child process, no TCP)
       │                    │
       │ flock postgres.lock│ asks the kernel for a fast shutdown when LinkFlow dies, even by kill -9
       │ flock server.lock ─┴─ inherited: held until the last process of the server is gone

What fails, and what happens then:

- LinkFlow is killed: the kernel sends the server SIGINT, it finishes cleanly. The next LinkFlow waits for
  `server.lock`, so it never meets a server that is still writing.
- Everything is killed: both locks are free, so nothing of the old server lives; its `postmaster.pid` is
  removed, whatever process wears that number today, and PostgreSQL recovers from its log.
- Two LinkFlows on one folder: `postgres.lock` is taken, the second is refused and told by whom.
- PostgreSQL refuses to run as root: see `account`.

Who may connect is decided by the kernel (peer authentication on a socket in a folder of mode 0700) and not by
a password: only the user that LinkFlow runs as. Everything else is rejected.
"""

from linkflow.adapters.embedded.attach import attached, is_running
from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed
from linkflow.adapters.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresFailed", "attached", "is_running"]
