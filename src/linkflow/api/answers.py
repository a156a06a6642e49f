"""JSON answers, for the API and for the ports of processes that have none."""

from starlette.responses import Response

from linkflow.domain.values import Json, encode_json


class Answer(Response):
    """A JSON answer, encoded once."""

    media_type = "application/json"

    def __init__(self, content: Json, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(encode_json(content), status, headers)
