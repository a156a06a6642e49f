"""What a call can end with.

ClientError
├── Unreachable        nobody answered; it may be tried again
├── CallFailed         LinkFlow refused: `status`, `code` and words
└── ExecutionFailed    the execution that was waited for did not complete
"""

from typing import Any

import msgspec

from linkflow.client.shapes import Execution


class ClientError(Exception):
    """Base of what this client raises."""


class Unreachable(ClientError):
    """Nobody answers at the address, or the connection broke."""


class CallFailed(ClientError):
    """LinkFlow refused a call.

    Attributes:
        status: HTTP status.
        code: Stable name of the reason, such as `not_found`.
        problem: The whole answer.
        retry_after_s: When to try again, for 429 and 503; None when it was not said.
    """

    def __init__(self, status: int, body: bytes, retry_after: str = "") -> None:
        try:
            found = msgspec.json.decode(body)
        except msgspec.DecodeError:
            found = None
        self.problem: dict[str, Any] = found if isinstance(found, dict) else {}
        self.status = status
        self.code = str(self.problem.get("code", ""))
        self.retry_after_s = float(retry_after) if retry_after.isdigit() else None
        super().__init__(self.problem.get("detail") or f"LinkFlow answered {status}.")


class ExecutionFailed(ClientError):
    """The execution that was waited for did not complete.

    Attributes:
        execution: How it ended.
    """

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        error = execution.error
        reason = f"{error.code}: {error.message}" if error else "it says no reason"
        super().__init__(f"Execution {execution.id} is {execution.status}; {reason}.")
