"""Errors as pages, for htmx, and as JSON."""

import pytest
from quart import Quart

from mission_control.core import limits
from mission_control.web import shell
from tests.cast import Cast
from tests.visitor import Seen, Visitor, opened, visitor


def is_page(seen: Seen, status: int, *parts: str) -> None:
    seen.is_status(status).has("<!doctype html>", "data-reason", f">{status}<", "Request <code", *parts)
    assert seen.headers["Content-Type"].startswith("text/html")


async def test_unknown_address_is_404(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    is_page(await ada.get("/nowhere"), 404, "There is nothing here")
    is_page(await ada.with_htmx.get("/nowhere"), 404)
    (await ada.get("/nowhere", Accept="application/json")).is_status(404).has('{"detail":"Not Found","request_id":')
    (await ada.get("/api/v1/nowhere")).is_status(404).has('"detail"')


async def test_curl_gets_pages_like_a_browser(cast: Cast) -> None:
    for accepted in ("*/*", "text/html,*/*;q=0.8"):
        seen = await Visitor(cast.app).get("/boards", Accept=accepted)
        assert seen.is_status(303).headers["Location"] == "/setup"  # nobody of the cast has a password
        is_page(await Visitor(cast.app).get("/nowhere", Accept=accepted), 404)
    (await Visitor(cast.app).get("/boards", Accept="application/json, text/plain, */*")).is_status(401).has('"detail"')
    (await Visitor(cast.app).get("/api/v1/boards", Accept="*/*")).is_status(401).has('"detail"')


async def test_wrong_method_is_405(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.post("/approvals")
    is_page(seen, 405, "That is not how this page works")
    assert "GET" in seen.headers["Allow"]
    is_page(await ada.with_htmx.post("/approvals"), 405)
    (await ada.post("/approvals", Accept="application/json")).is_status(405).has('"Method Not Allowed"')


async def test_forbidden_says_who_can_help(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    is_page(await cleo.get("/agents/new"), 403, "Ask an owner or an admin")
    is_page(await cleo.with_htmx.get("/agents/new"), 403)
    (await cleo.get("/agents/new", Accept="application/json")).is_status(403).has('"Forbidden"')


async def test_too_large_form_is_413(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    huge = {"name": "x" * 1_100_000}
    is_page(await ada.post("/settings/profile", huge), 413, "That is too large")
    is_page(await ada.with_htmx.post("/settings/profile", huge), 413)
    (await ada.post("/settings/profile", huge, Accept="application/json")).is_status(413).has('"detail"')


async def test_too_many_attempts_is_429(cast: Cast) -> None:
    nobody = await opened(cast)
    form = {"email": "ada@example.org", "password": "whatever"}
    for _ in range(limits.wrong_passwords.count):
        (await nobody.post("/sign-in", form)).is_status(422)
    for browser in (nobody, nobody.with_htmx):
        seen = await browser.post("/sign-in", form)
        is_page(seen, 429, "closed for 5 min")
        assert 0 < int(seen.headers["Retry-After"]) <= 301
    (await nobody.post("/sign-in", form, Accept="application/json")).is_status(429).has('"Too Many Requests"')


async def test_invalid_form_is_422_with_its_reasons(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    path = f"{cast.task(await cast.add_task())}/comments"
    is_page(await ada.with_htmx.post(path, {"message": " "}), 422, "Message: ")


async def test_sign_in_does_not_redirect_in_a_loop(cast: Cast) -> None:
    nobody = await opened(cast)
    assert (await nobody.get("/agents?x=1&y=2")).leads_to == "/sign-in?next=/agents%3Fx%3D1%26y%3D2"
    asked = await nobody.with_htmx.post(
        "/settings/profile", {}, HX_Current_URL="http://localhost/settings?saved=profile"
    )
    assert asked.is_status(401).headers["HX-Redirect"] == "/sign-in?next=/settings%3Fsaved%3Dprofile"
    (await nobody.get("/agents", Accept="application/json")).is_status(401).has('"Unauthorized"')


@pytest.fixture
def broken(app: Quart, monkeypatch: pytest.MonkeyPatch) -> Quart:
    """An application whose shell cannot be built."""
    monkeypatch.setattr(shell.build_shell, "functions", [])
    return app


async def test_internal_error_is_500(cast: Cast, broken: Quart) -> None:
    ada = await visitor(broken, cast.ada)
    is_page(await ada.get("/settings"), 500, "Something broke on our side")
    is_page(await ada.with_htmx.get("/settings"), 500)
    seen = await ada.get("/settings", Accept="application/json")
    seen.is_status(500).has('"Internal Server Error"').lacks("Traceback", "RuntimeError")


async def test_pages_carry_the_strict_policy(cast: Cast) -> None:
    seen = await Visitor(cast.app).get("/docs")
    assert "script-src 'self'" in seen.headers["Content-Security-Policy"]
