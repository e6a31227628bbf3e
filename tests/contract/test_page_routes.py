"""Every page of the application: nobody reads or changes one without signing in, and no other site posts a form."""

import re
from uuid import uuid4

import pytest
from quart import Quart

from tests.cast import Cast
from tests.pages.visitor import HERE, Visitor, give_password, visitor

PLACE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
NO_PAGES = ("/api/", "/static/", "/openapi", "/mcp", "/health", "/readyz", "/favicon.ico")
# What people use before they are signed in; /docs shows what any client may read of the API.
OPEN = {
    "/sign-in",
    "/sign-in/provider",
    "/sign-in/callback",
    "/sign-out",
    "/setup",
    "/reset/<secret>",
    "/docs",
    "/docs/<tag>",
    "/llms.txt",
    "/redoc",
}


def pages(app: Quart, method: str) -> list[str]:
    """The rules of all pages that take a method."""
    found = {rule.rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())}
    return sorted(rule for rule in found if not rule.startswith(NO_PAGES))


def address(rule: str) -> str:
    """An address that a rule takes, of things that do not exist."""
    return PLACE.sub(lambda found: (found[2] or "").partition(",")[0] or str(uuid4()), rule)


def test_there_are_pages_to_test(app: Quart) -> None:
    assert len(pages(app, "GET")) > 50 and len(pages(app, "POST")) > 40
    assert set(pages(app, "GET") + pages(app, "POST")) >= OPEN


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_gets_further_than_the_entrance(cast: Cast, method: str) -> None:
    await give_password(cast.ada)
    nobody = Visitor(cast.app)
    for rule in pages(cast.app, method):
        if rule not in OPEN:
            path = address(rule)
            seen = await (nobody.get(path) if method == "GET" else nobody.post(path))
            assert (seen.status, seen.leads_to.startswith("/sign-in")) == (303, True), rule


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
async def test_forms_of_other_sites_are_refused_everywhere(cast: Cast, headers: dict[str, str]) -> None:
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    for rule in pages(cast.app, "POST"):
        for browser in (ada, ada.with_htmx):
            seen = await browser.post_from(address(rule), {}, **headers)
            assert seen.status == 403, rule


async def test_what_does_not_exist_is_not_found_on_every_page(cast: Cast) -> None:
    """And nothing that an id leads to is changed before it was looked up."""
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    for method in ("GET", "POST"):
        for rule in pages(cast.app, method):
            if "<uuid:" in rule:
                path = address(rule)
                seen = await (ada.get(path) if method == "GET" else ada.post(path, {}, **HERE))
                assert seen.status == 404, f"{method} {rule}: {seen.status}"
