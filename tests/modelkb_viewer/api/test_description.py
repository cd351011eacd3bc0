from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.description import TAGS, operations_of

DESCRIBED = make_api().openapi()
OPERATIONS = {operation["operationId"]: operation for _, _, operation in operations_of(DESCRIBED)}
# Their answers are no JSON; or there is nothing to send or see.
WITHOUT_EXAMPLE = {
    *("importRows", "importShared", "keepObject", "readObject", "readArtifact", "readCode"),
    *("readMeasurements", "readModelCode", "readSavedModel", "readScript", "readWeights"),
    *("followExperiment", "removeExperiment", "revokeToken"),
}


def examples_of(operation: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """Return schemas and examples of bodies and answers."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    contents = [body.get("content", {}).get("application/json", {}) for body in bodies]
    return [(each["schema"], each["example"]) for each in contents if "example" in each]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_described(name: str) -> None:
    operation = OPERATIONS[name]
    assert name.isidentifier()
    assert name[0].islower()
    assert operation["summary"][0].isupper()
    assert operation["description"]
    assert set(operation["tags"]) <= {tag["name"] for tag in TAGS}
    assert all(answer["description"] for answer in operation["responses"].values())
    for parameter in operation.get("parameters", ()):
        if parameter["name"] != "last-event-id":
            assert parameter["description"], parameter["name"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_examples_are_as_its_schemas_say(name: str) -> None:
    found = examples_of(OPERATIONS[name])
    assert bool(found) == (name not in WITHOUT_EXAMPLE)
    for schema, example in found:
        whole = {**schema, "components": DESCRIBED["components"]}
        jsonschema_rs.validate(whole, example)


def test_fields_of_documents_are_described_or_speak_for_themselves() -> None:
    clear = {"name", "label", "tags", "notes", "split", "experiment_id", "hyperparameter"}
    for name, schema in DESCRIBED["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert schema["description"], name
            for field, described in schema["properties"].items():
                is_clear = field in clear or "$ref" in str(described) or "description" in described
                assert is_clear, f"{name}.{field}"


def test_where_it_is_served_is_told_from_where_it_was_asked(ask: TestClient) -> None:
    assert DESCRIBED["openapi"].startswith("3.1")
    assert all(not server["url"].startswith("http") for server in DESCRIBED.get("servers", []))
