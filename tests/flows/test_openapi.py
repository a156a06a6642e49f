"""What the API says of itself holds: generated requests of every route are answered as documented."""

import pytest

from linkflow.api.app import openapi_document
from linkflow.testing import fuzz
from linkflow.testing.control import Stage

ROUTES: dict[str, list[tuple[str, str]]] = {}
for _method, _path in fuzz.routes():
    ROUTES.setdefault(openapi_document()["paths"][_path][_method]["tags"][0], []).append((_method, _path))
EXAMPLES = 10


@pytest.mark.timeout(120)
@pytest.mark.parametrize("tag", ROUTES)
async def test_generated_requests_are_answered_as_documented(stage: Stage, tag: str) -> None:
    """A16, A18: no generated request makes a 500, and every answer has a documented status and shape."""
    ids = await fuzz.real_ids(stage)
    for method, path in ROUTES[tag]:
        await fuzz.tried(stage.client, method, path, ids, EXAMPLES, fuzz.is_as_documented)
