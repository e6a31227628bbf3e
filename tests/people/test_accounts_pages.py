"""The entrance: first run, signing in and out, a new password by a link."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from quart import Quart

from mission_control.core.actor import system
from mission_control.core.limits import unknown_tokens, wrong_sign_ins_by_account
from mission_control.http.request_log import RequestContext, formatter
from mission_control.people.accounts import credentials
from mission_control.people.accounts.commands import make_reset_link
from mission_control.people.models import Session, User
from mission_control.people.sign_in import first_run
from tests.cast import Cast
from tests.tiny_app import settings_with
from tests.visitor import PASSWORD, Visitor, give_password, opened, visitor

OWNER = {"organization_name": "Observatory", "name": "Mara Reyes", "email": "mara@example.org", "password": PASSWORD}


async def test_fresh_installation_redirects_to_setup(app: Quart) -> None:
    nobody = Visitor(app)
    for path in ("/", "/approvals", "/agents", "/settings", "/palette", "/sign-in"):
        assert (await nobody.get(path)).is_status(303).leads_to == "/setup"


async def test_setup_creates_the_first_owner_and_signs_in(app: Quart) -> None:
    code = await first_run.issue_setup_code()
    assert code
    typed = f"  {code.lower().replace('-', ' ')} "
    done = await Visitor(app).post("/setup", {**OWNER, "code": typed})
    assert done.is_status(303).leads_to == "/"
    mara = await Visitor(app).remembering(done)
    (await mara.get("/settings")).is_status(200).has("Mara Reyes", "mara@example.org", "Observatory")
    assert (await Visitor(app).get("/setup")).is_status(303).leads_to == "/sign-in"
    assert (await Visitor(app).post("/setup", {**OWNER, "code": code})).leads_to == "/sign-in"


async def test_invalid_setup_keeps_input_except_the_password(app: Quart) -> None:
    await first_run.issue_setup_code()
    wrong = {**OWNER, "code": "ABCD-EFGH-2345", "email": "nowhere", "password": "short"}
    seen = (await Visitor(app).post("/setup", wrong)).is_status(422)
    seen.has(
        "ABCD-EFGH-2345", "Mara Reyes", 'value="nowhere"', "Use at least 10 characters.", "Enter an e-mail address"
    )
    seen.has('aria-invalid="true"', 'aria-describedby="field-email-error').lacks('value="short"')


async def test_setup_code_guesses_are_rate_limited(app: Quart) -> None:
    await first_run.issue_setup_code()
    for _ in range(10):
        seen = await Visitor(app).post("/setup", {**OWNER, "code": "WRONG"})
        seen.is_status(422).has("not the setup code that the server printed last").lacks(PASSWORD)
    refused = (await Visitor(app).post("/setup", {**OWNER, "code": "WRONG"})).is_status(429)
    assert int(refused.headers["Retry-After"]) > 0
    refused.has("Too many tries", "closed for 5 min")


async def test_sign_in_redirect_and_sign_out(cast: Cast) -> None:
    nobody = await opened(cast)
    wanted = (await nobody.get("/approvals?state=approved")).is_status(303).leads_to
    assert wanted == "/sign-in?next=/approvals%3Fstate%3Dapproved"
    (await nobody.get(wanted)).is_status(200).has('value="/approvals?state=approved"', "user reset-password")
    form = {"email": "ADA@example.org", "password": PASSWORD, "next": "/approvals?state=approved"}
    entered = (await nobody.post("/sign-in", form)).is_status(303)
    assert entered.leads_to == "/approvals?state=approved"
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and ("Max-Age=2592000" in cookie or "Expires=" in cookie)
    ada = await nobody.remembering(entered)
    assert (await ada.get("/sign-in?next=/agents")).leads_to == "/agents"
    assert (await ada.post("/sign-out")).is_status(303).leads_to == "/sign-in"
    assert (await ada.get("/approvals")).leads_to.startswith("/sign-in")
    assert await Session.all().count() == 0


async def test_unknown_email_and_wrong_password_look_the_same(cast: Cast) -> None:
    nobody = await opened(cast)
    sentence = "That e-mail and password do not belong together."
    for email, password in (("ada@example.org", "wrong password"), ("nobody@example.org", PASSWORD)):
        seen = await nobody.post("/sign-in", {"email": email, "password": password})
        seen.is_status(422).has(sentence, f'value="{email}"').lacks(password)
    (await nobody.post("/sign-in", {"email": "", "password": ""})).is_status(422).has("Fill this in.")


async def test_password_guesses_for_one_account_are_limited_by_address(cast: Cast) -> None:
    nobody = await opened(cast)
    for _ in range(10):
        (await nobody.post("/sign-in", {"email": "ada@example.org", "password": "wrong"})).is_status(422)
    (await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})).is_status(429)


async def test_password_guesses_for_many_accounts_are_limited_by_address(cast: Cast) -> None:
    nobody = await opened(cast)
    for number in range(30):
        form = {"email": f"p{number}@example.org", "password": "wrong"}
        (await nobody.post("/sign-in", form)).is_status(422)
    (await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})).is_status(429)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every request comes from another place."""
    numbers = iter(range(1, 10_000))
    monkeypatch.setattr(credentials, "client_ip", lambda: f"198.51.{(number := next(numbers)) // 250}.{number % 250}")
    monkeypatch.setattr(credentials, "SECONDS_FOR_EACH", 0.0)
    yield


async def test_guesses_by_others_do_not_lock_an_account(cast: Cast, places: None) -> None:
    nobody = await opened(cast)
    for _ in range(15):
        (await nobody.post("/sign-in", {"email": "ada@example.org", "password": "wrong"})).is_status(422)
    (await nobody.post("/sign-in", {"email": " ADA@example.org ", "password": PASSWORD})).is_status(303)


async def test_failures_slow_sign_in_by_at_most_two_seconds(cast: Cast, app: Quart) -> None:
    for number in range(40):
        waits = credentials.seconds_to_wait("Ada@example.org")
        assert waits == (0 if number <= 10 else min(2.0, (number - 10) / 4))
        wrong_sign_ins_by_account.failed(credentials._name("ada@example.org"))
    assert credentials.seconds_to_wait("ben@example.org") == 0


async def test_known_browser_is_not_locked_out(cast: Cast) -> None:
    nobody = await opened(cast)
    entered = await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})
    [set_cookie] = [one for one in entered.headers.getlist("Set-Cookie") if one.startswith("mc_known_browser=")]
    assert "HttpOnly" in set_cookie and "Path=/sign-in" in set_cookie and "ada" not in set_cookie.lower()
    known = {"Cookie": set_cookie.partition(";")[0]}
    wrong = {"email": "ada@example.org", "password": "wrong"}
    for _ in range(10):
        (await nobody.post("/sign-in", wrong)).is_status(422)
    (await nobody.post("/sign-in", wrong)).is_status(429)
    (await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD}, **known)).is_status(303)
    (await nobody.post("/sign-in", {"email": "ben@example.org", "password": "wrong"}, **known)).is_status(422)
    for _ in range(10):
        (await nobody.post("/sign-in", wrong, **known)).is_status(422)
    (await nobody.post("/sign-in", wrong, **known)).is_status(429)  # a stolen cookie guesses no more than a place


async def test_concurrent_guesses_are_limited(cast: Cast) -> None:
    nobody = await opened(cast)
    guesses = [nobody.post("/sign-in", {"email": "ada@example.org", "password": f"wrong {n}"}) for n in range(30)]
    statuses = [seen.status for seen in await asyncio.gather(*guesses)]
    assert sorted(statuses) == [422] * 10 + [429] * 20


async def test_successful_sign_in_uses_no_attempts(cast: Cast) -> None:
    nobody = await opened(cast)
    for _ in range(11):
        (await nobody.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})).is_status(303)


async def test_sign_in_redirects_stay_on_this_site(cast: Cast) -> None:
    nobody = await opened(cast)
    unreadable = ("//[", "http://[", "/a\nSet-Cookie: x=1", "/\t/evil.example")
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", *unreadable):
        form = {"email": "ada@example.org", "password": PASSWORD, "next": evil}
        assert (await nobody.post("/sign-in", form)).leads_to == "/"


async def test_cross_site_forms_are_refused(cast: Cast) -> None:
    nobody = await opened(cast)
    ada = await visitor(cast.app, cast.ada)
    out = "/sign-out"  # browsers send the cookie to it only from here, so it comes as nobody
    for who, path in ((nobody, "/sign-in"), (nobody, "/setup"), (nobody, "/reset/mcr_x"), (ada, out), (nobody, out)):
        for origin in ("https://evil.example", "http://[", "null", "http://localhost.evil.example", "localhost"):
            refused = (await who.post_from(path, {}, Origin=origin)).is_status(403)
            assert "Set-Cookie" not in refused.headers
        (await who.post_from(path, {}, Sec_Fetch_Site="cross-site")).is_status(403)
        (await who.post_from(path, {})).is_status(403)


async def test_reset_link_works_once(cast: Cast) -> None:
    await give_password(cast.ada)
    ben = await User.get(id=cast.ben.id)
    before = await visitor(cast.app, cast.ben)
    secret = await make_reset_link(system(cast.organization.id), ben)
    nobody = Visitor(cast.app)
    (await nobody.get(f"/reset/{secret}")).is_status(200).has("ben@example.org")
    (await nobody.post(f"/reset/{secret}", {"password": "short"})).is_status(422).lacks("short<")
    done = (await nobody.post(f"/reset/{secret}", {"password": PASSWORD})).is_status(303)
    (await (await nobody.remembering(done)).get("/approvals")).is_status(200)
    assert (await before.get("/approvals")).status == 303
    (await nobody.get(f"/reset/{secret}")).is_status(404).has("used already or has expired")
    (await nobody.post(f"/reset/{secret}", {"password": PASSWORD})).is_status(404)


async def test_reset_secret_is_never_logged(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """It still works after a password that is too short, and what is refused is logged with its path."""
    lines: list[str] = []

    class Written(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            RequestContext().filter(record)
            lines.append(formatter(settings_with()).format(record))

    written = Written()
    secret = await make_reset_link(system(cast.organization.id), await User.get(id=cast.ben.id))
    logging.getLogger().addHandler(written)
    caplog.set_level(logging.INFO)
    try:
        (await Visitor(cast.app).post(f"/reset/{secret}", {"password": "short"})).is_status(422)
    finally:
        logging.getLogger().removeHandler(written)
    assert any("path=/reset/..." in line for line in lines) and secret not in "".join(lines)


async def test_wrong_tokens_of_others_do_not_block_a_reset_link(cast: Cast) -> None:
    link = await make_reset_link(system(cast.organization.id), await User.get(id=cast.ben.id))
    nobody = Visitor(cast.app)
    for _ in range(unknown_tokens.count):
        (await nobody.get("/reset/mcr_dead")).is_status(404)
    (await nobody.get("/reset/mcr_dead")).is_status(429)
    (await nobody.get(f"/reset/{link}")).is_status(200)
    (await nobody.post(f"/reset/{link}", {"password": PASSWORD})).is_status(303)


@pytest.mark.parametrize("ticked", [["true", "false"], ["false"], []], ids=["ticked", "unticked", "not asked"])
async def test_reset_form_offers_to_end_other_sessions(cast: Cast, ticked: list[str]) -> None:
    link = await make_reset_link(system(cast.organization.id), await User.get(id=cast.cleo.id))
    nobody = Visitor(cast.app)
    (await nobody.get(f"/reset/{link}")).has("End other sessions and tokens", "checked")
    form = {"password": "a new long password", "ends_others": ticked}
    (await nobody.post(f"/reset/{link}", {**form, "password": "short"})).is_status(422)
    (await nobody.post(f"/reset/{link}", form)).is_status(303)
    assert (await cast.cleo.get("/users/me")).status == (200 if ticked == ["false"] else 401)
