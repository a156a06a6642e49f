"""One of the workers that `linkflow up --workers N` starts: it ends when the process that started it does."""

import ctypes
import signal
import sys

from linkflow.apps.cli_local import serve

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the kernel end this process with the one that started it, kill -9 included (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent()
    serve("worker")
