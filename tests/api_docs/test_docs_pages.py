"""The documentation: its pages, the document and its parts, and what models read."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from mission_control.core.values import new_id
from mission_control.http.openapi import TAGS
from mission_control.http.registry import OPERATIONS
from tests.cast import Cast
from tests.taught import calls_in
from tests.visitor import Visitor, visitor

pytestmark = pytest.mark.once


async def test_documentation_starts_with_an_agent(cast: Cast) -> None:
    seen = (await Visitor(cast.app).get("/docs")).is_status(200)
    seen.has("Write an agent", "/next", "/completions", "claude mcp add", "[mcp_servers.mission-control]")
    seen.has("Authentication", "Last-Event-ID", "openapi-typescript", "/llms.txt").lacks('class="sidebar"')
    for tag in TAGS:
        seen.has(f'href="/docs/{tag}"')
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/docs")).is_status(200).has('class="sidebar"', "Observatory")


async def test_each_tag_has_a_page_with_its_operations(cast: Cast) -> None:
    nobody = Visitor(cast.app)
    assert {"health"} | {tag for one in OPERATIONS for tag in one.tags} == set(TAGS)
    for tag in TAGS:
        seen = (await nobody.get(f"/docs/{tag}")).is_status(200)
        for operation in OPERATIONS:
            if tag in operation.tags:
                seen.has(f'id="{operation.operation_id}"')
        shapes = (await nobody.get(f"/docs/{tag}/shapes")).is_status(200)
        linked = set(re.findall(rf'href="/docs/{tag}/shapes#(shape-\w+)"', seen.text + shapes.text))
        assert linked <= set(re.findall(r'id="(shape-\w+)"', shapes.text)), tag
        assert max(len(seen.text), len(shapes.text)) < 200_000, tag
    tasks = await nobody.get("/docs/tasks")
    tasks.has("People and agents", 'href="/docs/tasks/shapes"', 'href="/openapi.json?tag=tasks"')
    (await nobody.get("/docs/tasks/shapes")).has('id="shape-TaskRead"', 'href="/docs/tasks"')
    (await nobody.get("/docs/agent-worker")).has("X-Agent-Token: $TOKEN")
    for path in ("/docs/nothing", "/docs/nothing/shapes"):
        (await nobody.get(path)).is_status(404)


async def test_documentation_search_works_without_javascript(cast: Cast) -> None:
    seen = (await Visitor(cast.app).get("/docs?q=POST+approvals")).is_status(200)
    seen.has("/docs/approvals#create_approval_api_v1_boards").lacks("update_me_api_v1_users_me_patch", "Last-Event-ID")
    (await Visitor(cast.app).get("/docs?q=<nothing>")).has("No operation matches", "&lt;nothing&gt;")


async def test_old_address_redirects(cast: Cast) -> None:
    moved = await cast.app.test_client(use_cookies=False).get("/redoc")
    assert (moved.status_code, moved.headers["Location"]) == (307, "/docs")


async def test_openapi_document_is_cached_with_an_etag(cast: Cast) -> None:
    client = cast.app.test_client(use_cookies=False)
    for path in ("/openapi.json", "/openapi.json?tag=agent-worker"):
        first, second = [await client.get(path) for _ in range(2)]
        assert first.content_type == "application/json" and await first.get_data() == await second.get_data()
        known = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (known.status_code, await known.get_data()) == (304, b"")


def references(node: Any) -> Iterator[str]:
    """Every $ref below a node."""
    if isinstance(node, dict):
        yield from (one for key, one in node.items() if key == "$ref" and isinstance(one, str))
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from references(one)


@pytest.mark.parametrize("tags", [(tag,) for tag in TAGS] + [("tags", "health")], ids="-".join)
async def test_part_of_the_document_is_valid_and_minimal(cast: Cast, tags: tuple[str, ...]) -> None:
    whole = (await cast.nobody.get("/openapi.json")).ok()
    part = (await cast.nobody.get("/openapi.json?" + "&".join(f"tag={tag}" for tag in tags))).ok()
    assert part["info"] == whole["info"] and part["servers"] == whole["servers"]
    for path, methods in whole["paths"].items():
        wanted = {method: one for method, one in methods.items() if set(tags) & set(one["tags"])}
        assert part["paths"].get(path, {}) == wanted
    used = set(references(part))
    held = {f"#/components/{kind}/{name}" for kind, of in part["components"].items() for name in of}
    assert used <= held and {one for one in held if "securitySchemes" not in one} <= used
    operations = [one for methods in part["paths"].values() for one in methods.values()]
    schemes = {name for one in operations for scheme in one["security"] for name in scheme}
    assert schemes == set(part["components"].get("securitySchemes", {}))
    assert {one["name"] for one in part["tags"]} == {tag for one in operations for tag in one["tags"]}


async def test_unknown_part_is_not_found(cast: Cast) -> None:
    assert "nothing" in (await cast.nobody.get("/openapi.json?tag=nothing")).refused(404)


async def test_llms_txt_says_where_to_start(cast: Cast) -> None:
    response = await cast.app.test_client().get("/llms.txt")
    text = await response.get_data(as_text=True)
    assert response.content_type == "text/plain; charset=utf-8" and text.startswith("# Mission Control\n\n> ")
    assert "/openapi.json?tag=agent-worker" in text and "claude mcp add" in text and "/completions" in text
    links = re.findall(r"\]\((/[^)]+)\)", text)
    assert len(links) > 4 and "{{" not in text
    for url in links:
        assert (await Visitor(cast.app).get(url)).status == 200, url


async def test_llms_full_txt_has_every_operation_of_agents(cast: Cast) -> None:
    response = await cast.app.test_client().get("/llms-full.txt")
    text = await response.get_data(as_text=True)
    assert response.content_type == "text/plain; charset=utf-8"
    assert text.startswith(await (await cast.app.test_client().get("/llms.txt")).get_data(as_text=True))
    agents = [one for one in OPERATIONS if one.who in ("agent", "actor")]
    assert len(agents) > 60
    for one in agents:
        assert f"\n### {one.method} {re.sub(r'<(?:\w+:)?(\w+)>', r'{\1}', one.path)}\n" in text
    assert "\n### ClaimCreate\n" in text and "\n### TaskRead\n" in text and "\n### GatewayCreate\n" not in text


async def test_every_call_that_llms_txt_teaches_fits_its_operation(cast: Cast) -> None:
    text = await (await cast.app.test_client().get("/llms.txt")).get_data(as_text=True)
    known = {(one.method, one.path): one for one in OPERATIONS}
    calls = list(calls_in(text))
    assert len(calls) > 20
    for method, path, query, body in calls:
        one = known[(method, path)]
        assert one.who in ("agent", "actor"), path
        if body:
            given = json.loads(body.replace("'$FENCE'", "3").replace('"ID"', f'"{new_id()}"'))
            shape = TypeAdapter(one.body).validate_python(given)
            assert set(given) <= set(type(shape).model_fields), (path, given)
        for name in re.findall(r"(\w+)=", query):
            assert one.query is not None and name in {f.alias or n for n, f in one.query.model_fields.items()}, (
                path,
                name,
            )
