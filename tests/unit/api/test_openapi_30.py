"""The 3.0 rendering of the OpenAPI document."""

from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_30_VALIDATOR

from linkflow.api.app import openapi_document
from linkflow.api.openapi_30 import NULL, as_30


def rendered(schema: dict[str, Any]) -> Any:
    """Render one schema."""
    return as_30({"components": {"schemas": {"X": schema}}})["components"]["schemas"]["X"]


def test_the_rendering_is_openapi_30() -> None:
    """A18: the whole API as OpenAPI 3.0 is valid by the specification's own schema, and loses no route."""
    document = as_30(openapi_document())
    problems = [error.message for error in OPENAPI_30_VALIDATOR.iter_errors(document)]

    assert ([], "3.0.3") == (problems, document["openapi"])
    assert list(openapi_document()["paths"]) == list(document["paths"])


def test_the_schema_refuses_what_only_31_knows() -> None:
    """The document that is not rendered is not OpenAPI 3.0, so the rendering is needed and is looked at."""
    assert not OPENAPI_30_VALIDATOR.is_valid(openapi_document() | {"openapi": "3.0.3"})


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        ({"anyOf": [{"$ref": "#/a"}, {"type": "null"}]}, {"anyOf": [{"$ref": "#/a"}, NULL]}),
        ({"type": ["integer", "null"], "minimum": 1}, {"type": "integer", "minimum": 1, "nullable": True}),
        ({"type": ["integer", "string"]}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        ({"default": {"type": "null"}}, {"default": {"type": "null"}}),
    ],
)
def test_every_newer_word_has_an_older_one(newer: dict[str, Any], older: dict[str, Any]) -> None:
    """C27: null, constants, examples, several types and open bounds are said as OpenAPI 3.0 says them."""
    assert older == rendered(newer)
