"""Every page of the application: nobody reads or changes one without signing in, and no other site posts a form.

Every unsafe route of a page is an action, so the rights of operations are those of pages.
"""

import ast
import re
from typing import get_type_hints
from uuid import uuid4

import pytest
from quart import Quart

from mission_control.web.actions import Action, SessionAction, action_of
from mission_control.web.forms import Form, TypedName
from tests.cast import Cast
from tests.contract.source import commands, trees
from tests.visitor import HERE, Visitor, give_password, visitor

PLACE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
# Providers of chats tell us here what people press: signed by them, or by the token of a button.
PROVIDERS = ("/reach/in/", "/reach/pressed")
NO_PAGES = ("/api/", "/oauth/", "/static/", "/openapi", "/mcp", "/health", "/readyz", "/favicon.ico", *PROVIDERS)
# What people use before they are signed in; /docs shows what any client may read of the API.
OPEN = {
    "/sign-in", "/sign-in/forgotten", "/sign-in/provider", "/sign-in/callback", "/sign-out", "/setup",
    "/reset/<secret>", "/demo/<secret>", "/offline", "/service-worker.js", "/invitations/<string:token>", "/docs",
    "/docs/<tag>", "/docs/<tag>/shapes", "/llms.txt", "/llms-full.txt", "/client.pyz", "/mc", "/redoc",
    "/reach/off/<token>",
}  # fmt: skip


# They begin or end the browser's own session, or let a terminal in, which no operation of the API does.
SESSIONS = {
    *("/setup", "/sign-in", "/sign-in/forgotten", "/sign-out", "/reset/<secret>", "/invitations/<string:token>"),
    *("/device/approvals", "/device/refusals", "/reach/off/<token>"),
}
# Mail programs end mail by a POST of their own (RFC 8058): the token in the path is all that counts there, and all that
# it can do is to end mail to one person.
FROM_ANYWHERE = {"/reach/off/<token>"}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def actions(app: Quart) -> dict[str, Action | SessionAction | None]:
    """The actions behind all unsafe routes of pages, by method and rule; None where there is none."""
    return {
        f"{method} {rule.rule}": action_of(view)
        for rule in app.url_map.iter_rules()
        for view in [app.view_functions[rule.endpoint]]
        for method in (rule.methods or set()) & UNSAFE
        if not rule.rule.startswith(NO_PAGES)
    }


def test_every_unsafe_route_of_a_page_is_an_action(app: Quart) -> None:
    found = actions(app)
    assert len(found) > 40
    assert {route for route, made in found.items() if made is None} == set()
    of_sessions = {route: made for route, made in found.items() if isinstance(made, SessionAction)}
    assert of_sessions.keys() == {f"POST {rule}" for rule in SESSIONS}
    assert {route for route, made in of_sessions.items() if made.from_anywhere} == {
        f"POST {rule}" for rule in FROM_ANYWHERE
    }


def test_every_action_names_an_operation_and_its_form_makes_that_body(app: Quart) -> None:
    """A form that makes nothing of its own has the fields without which the operation refuses its body."""
    for route, made in actions(app).items():
        if not isinstance(made, Action) or made.form is None:
            continue
        body = made.operation.body
        returned = get_type_hints(made.form.body)["return"] if issubclass(made.form, Form) else made.form
        if isinstance(returned, type):
            expected = type(None) if body is None else body
            assert issubclass(returned, expected), f"{route}: {returned} is no {expected}"
        elif issubclass(made.form, Form) and made.form.body in (Form.body, TypedName.body) and body is not None:
            needed = {name for name, field in body.model_fields.items() if field.is_required()}
            assert needed <= made.form.model_fields.keys(), f"{route}: {needed}"


def test_pages_and_actions_try_nothing() -> None:
    found = [
        f"{name}.{function.name}"
        for name, tree in trees()
        if name.split(".")[-1].endswith("pages")
        for function in tree.body
        if isinstance(function, ast.AsyncFunctionDef) and function.decorator_list
        if any(isinstance(node, ast.Try) for node in ast.walk(function))
    ]
    assert found == []


def test_modules_of_pages_call_no_command() -> None:
    assert {(name, one) for name, tree in trees() if name.endswith("pages") for one in commands_used(tree)} == set()


def commands_used(tree: ast.Module) -> set[str]:
    """The commands that a module imports, or reaches by a module that it imports."""
    imported = {
        one.asname or one.name: f"{node.module}.{one.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for one in node.names
    }
    reached = {
        f"{imported[node.value.id]}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported
    }
    return ({*imported.values()} | reached) & commands().keys()


def pages(app: Quart, method: str) -> list[str]:
    found = {rule.rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())}
    return sorted(rule for rule in found if not rule.startswith(NO_PAGES))


def address(rule: str) -> str:
    """An address that a rule takes, of things that do not exist."""
    return PLACE.sub(lambda found: (found[2] or "").partition(",")[0] or str(uuid4()), rule)


def test_page_routes_are_found(app: Quart) -> None:
    assert len(pages(app, "GET")) > 50 and len(pages(app, "POST")) > 40
    assert set(pages(app, "GET") + pages(app, "POST")) >= OPEN


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_need_a_session(cast: Cast, method: str) -> None:
    await give_password(cast.ada)
    nobody = Visitor(cast.app)
    for rule in pages(cast.app, method):
        if rule not in OPEN:
            path = address(rule)
            seen = await (nobody.get(path) if method == "GET" else nobody.post(path))
            assert (seen.status, seen.leads_to.startswith("/sign-in")) == (303, True), rule


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
async def test_cross_site_forms_are_refused_on_every_page(cast: Cast, headers: dict[str, str]) -> None:
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    for rule in pages(cast.app, "POST"):
        for browser in (ada, ada.with_htmx) if rule not in FROM_ANYWHERE else ():
            seen = await browser.post_from(address(rule), {}, **headers)
            assert seen.status == 403, rule


async def test_unknown_ids_are_not_found_on_every_page(cast: Cast) -> None:
    """And nothing that an id leads to is changed before it was looked up."""
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    for method in ("GET", "POST"):
        for rule in pages(cast.app, method):
            if "<uuid:" in rule:
                path = address(rule)
                seen = await (ada.get(path) if method == "GET" else ada.post(path, {}, **HERE))
                assert seen.status == 404, f"{method} {rule}: {seen.status}"
