"""The tokens of an agent on its page: made and shown once, changed, revoked; stale forms are refused in the form."""

import re

from mission_control.people.models import Token
from tests.cast import Caller, Cast, events, head
from tests.visitor import Seen, visitor


def secret_in(seen: Seen) -> str:
    found = re.search(r"mca_[\w-]{20,}", seen.text)
    assert found
    return found[0]


async def newest(cast: Cast) -> Token:
    found = await Token.filter(agent_id=cast.vega.id).order_by("-created_at", "-id").first()
    assert found is not None
    return found


async def test_new_token_is_shown_once_with_usage_lines(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/tokens"
    (await ada.get(f"{path}/new")).is_status(200).has(
        "<!doctype html>", "The current token expires", "600, as every agent"
    )
    wish = {"name": "laptop", "may": "work", "ends": "604800", "requests_per_minute": "90", "overlap_seconds": "600"}
    seen = (await ada.post(path, wish)).is_status(200)
    secret = secret_in(seen)
    seen.has("only time that it is shown", "token before it ends", "client.pyz sign-in --with-token", "claude mcp add")
    assert seen.headers["Cache-Control"] == "no-store"
    made = await newest(cast)
    assert (made.name, made.scopes, made.requests_per_minute) == ("laptop", ["work"], 90)
    (await ada.get(path)).has("laptop", "Reads and works", "90 requests a minute", "Replaced", secret[:10]).lacks(
        secret
    )
    (await Caller(cast.app, {"X-Agent-Token": secret}).get("/agent/healthz")).ok()
    (await cast.vega.get("/agent/healthz")).ok()


async def test_token_replaces_the_form_with_htmx(cast: Cast) -> None:
    ada, path = (await visitor(cast.app, cast.ada)).with_htmx, f"/agents/{cast.vega.id}/tokens"
    (await ada.get(f"{path}/new")).has("<dialog", 'hx-target="this"', "data-auto-open").lacks("<!doctype")
    bad = (await ada.post(path, {"name": "kept", "requests_per_minute": "0", "overlap_seconds": "600"})).is_status(422)
    bad.has("Enter 1 or more.", 'value="kept"').lacks("<dialog", "mca_")
    (await ada.post(path, {"overlap_seconds": "-1"})).is_status(422)
    assert await Token.filter(agent_id=cast.vega.id).count() == 1
    seen = (await ada.post(path, {"name": "", "may": "all", "ends": "never", "overlap_seconds": "0"})).is_status(200)
    seen.has("data-once", secret_in(seen), "data-dialog-close").lacks("<!doctype", "<form")
    (await cast.vega.get("/agent/healthz")).refused(401)


async def test_rotated_token_keeps_scopes_by_default(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/tokens"
    await ada.post(path, {"name": "night", "may": "read", "ends": "2592000", "overlap_seconds": "0"})
    seen = await ada.get(f"{path}/new")
    seen.has('value="night"', '<option value="read" selected>', '<option value="2592000" selected>')
    await ada.post(path, {"overlap_seconds": "600"})
    made = await newest(cast)
    assert (made.name, made.scopes, made.expires_at) == ("night", ["read"], None)


async def test_token_is_changed(cast: Cast) -> None:
    ada, before = await visitor(cast.app, cast.ada), await head(cast)
    token = await newest(cast)
    path = f"/agents/{cast.vega.id}/tokens/{token.id}"
    (await ada.with_htmx.get(path)).has("<dialog", "As it is").lacks("The current token expires")
    same = {"name": "", "may": "all", "ends": "keep", "requests_per_minute": ""}
    assert (await ada.post(path, same)).leads_to == f"/agents/{cast.vega.id}/tokens"
    assert await events(before, kind="agent.token_changed") == []
    (await ada.with_htmx.post(path, {**same, "may": "lead", "ends": "86400", "name": "crane"})).is_status(204)
    token = await newest(cast)
    assert (token.name, token.scopes) == ("crane", ["lead"]) and token.expires_at is not None
    (await ada.get(f"/agents/{cast.vega.id}/tokens")).has("crane", "Reads, works and leads", "Ends soon")
    (await ada.with_htmx.post(path, {**same, "ends": "soon"})).is_status(422)
    (await ada.with_htmx.post(path, {**same, "ends": "never"})).is_status(204)
    assert (await newest(cast)).expires_at is None


async def test_form_of_a_revoked_token_keeps_input(cast: Cast) -> None:
    ada, token = await visitor(cast.app, cast.ada), await newest(cast)
    path = f"/agents/{cast.vega.id}/tokens/{token.id}"
    (await cast.ben.delete(path)).ok()
    for browser in (ada, ada.with_htmx):
        seen = await browser.post(path, {"name": "a long name", "may": "read", "ends": "keep"})
        seen.is_status(409).has("This token has ended; rotate it instead.", 'value="a long name"')


async def test_revoking_names_the_consequences(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    token, page = await newest(cast), f"/agents/{cast.vega.id}/tokens"
    path = f"{page}/{token.id}/revocations"
    (await ada.with_htmx.get(path)).has("<dialog", "No other token is live", token.prefix)
    await ada.post(page, {"overlap_seconds": "600"})
    (await ada.get(path)).has("<!doctype html>", "1 other live token goes on")
    async with ada.watching(f"/agents/{cast.vega.id}/live?tab=tokens") as watch:
        (await ada.with_htmx.post(path)).is_status(204)
        await watch.until("Revoked")
    (await cast.vega.get("/agent/healthz")).refused(401)
    (await ada.post(path)).is_status(303)
    (await ada.get(page)).has("1 that ended")
    foreign = await Token.get(agent_id=cast.nova.id)
    (await ada.post(f"{page}/{foreign.id}/revocations")).is_status(404)
    (await ada.get(f"{page}/{foreign.id}")).is_status(404)


async def test_page_warns_without_an_active_token(cast: Cast) -> None:
    ada, token = await visitor(cast.app, cast.ada), await newest(cast)
    (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{token.id}")).ok()
    (await ada.get(f"/agents/{cast.vega.id}/tokens")).has("It has no valid token")
    (await ada.get(f"/agents/{cast.vega.id}/tokens/new")).is_status(200)
