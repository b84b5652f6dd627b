"""The OpenAPI document describes the routes: all of them, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from starlette.routing import Route

from tests.support.scripts import load_script
from tests.web.ask import Asker

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(tmp_path: Path) -> Asker:
    (tmp_path / "root").mkdir()
    return Asker(tmp_path / "root", tmp_path / "state")


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, at in document["paths"].items() for method in at}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_route_is_described_and_nothing_else(ask: Asker) -> None:
    routes = {
        (method, route.path.replace(":int", ""))
        for route in ask.service.app().routes
        if isinstance(route, Route) and route.path != "/"
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert described(ask("/api/openapi.json").json) == routes


def test_references_resolve_and_operation_names_are_unique(ask: Asker) -> None:
    document = ask("/api/openapi.json").json
    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found
    names = [each["operationId"] for at in document["paths"].values() for each in at.values()]
    assert len(names) == len(set(names))


def test_the_file_in_the_documents_is_what_the_script_writes() -> None:
    module = load_script("docs/write_openapi.py")
    written = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert written == module.openapi_text(), "run python docs/write_openapi.py"


def test_the_page_of_the_api_names_every_request(ask: Asker) -> None:
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    for _, path in described(json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))):
        last = path.replace("{number}", "N")
        assert last in page or f"`{re.sub('^.*/', '/', last)}`" in page, path


@pytest.mark.parametrize("path", ["/api/preview", "/api/jobs", "/api/jobs/1/move"])
def test_a_body_with_an_undocumented_field_is_refused(ask: Asker, path: str) -> None:
    document = ask("/api/openapi.json").json
    at = document["paths"][re.sub(r"\d+", "{number}", path)]["post"]
    name = at["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert document["components"]["schemas"][name]["additionalProperties"] is False
    refused = ask(path, method="POST", body={"unknown": 1})
    assert (refused.status, "unknown" in refused.json["error"] or "path" in refused.json["error"]
            or "input" in refused.json["error"]) == (422, True)  # fmt: skip
