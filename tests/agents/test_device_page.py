"""The page on which a person lets a terminal in: what it says, what it chooses, and whom it refuses."""

from collections.abc import Callable

import pytest

from mission_control.agents.models import Connection, DeviceCode
from mission_control.people.models import Member
from tests.cast import Cast
from tests.devices import approve, ask, connected
from tests.visitor import Visitor, give_password, visitor


async def test_page_says_who_asks_from_where_and_for_what(cast: Cast) -> None:
    terminal = await ask(cast.app, board=cast.board.name)
    page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")
    page.has("Approve a terminal", terminal.user_code, "Claude Code", "mara-laptop, user mara, Linux")
    page.has("the same as this browser", "Ada", "approve anything", "Refuse", "90 days")
    assert page.form("/device/approvals")["agent"] == [f"{cast.board.id}:new"]
    assert (
        page.headers["X-Frame-Options"] == "DENY"
        and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    )
    page.lacks("data-key")  # no key answers


async def test_signed_out_person_signs_in_first_and_comes_back(cast: Cast) -> None:
    await give_password(cast.ada)
    terminal = await ask(cast.app)
    seen = await Visitor(cast.app).get(f"/device?user_code={terminal.user_code}")
    assert (seen.status, seen.leads_to) == (303, f"/sign-in?next=/device%3Fuser_code%3D{terminal.user_code}")


@pytest.mark.parametrize("spell", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "])
async def test_code_is_found_however_it_is_typed(cast: Cast, spell: Callable[[str], str]) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.ada)
    (await browser.get("/device")).has("Enter the code", 'name="user_code"')
    (await browser.get(f"/device?user_code={spell(terminal.user_code).replace(' ', '+')}")).has(terminal.user_code)


@pytest.mark.parametrize("code", ["BCDF-GHJK", "9" * 30, "B" * 41])
async def test_wrong_code_is_said_in_the_form(cast: Cast, code: str) -> None:
    page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={code}")
    page.is_status(200).has("No terminal waits with this code", code).lacks("Approve</span>")


async def test_another_address_is_pointed_out(cast: Cast) -> None:
    terminal = await ask(cast.app)
    await DeviceCode.all().update(address="203.0.113.9")
    page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")
    page.has("203.0.113.9", "another one than this browser")


async def test_texts_of_a_terminal_are_one_plain_line(cast: Cast) -> None:
    terminal = await ask(cast.app, host_label="<b>evil</b>\u202e\n\x00laptop", user_label="x" * 999)
    page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")
    page.has("&lt;b&gt;evil&lt;/b&gt; laptop").lacks("\u202e", "<b>evil", "x" * 256)


async def test_what_was_connected_last_is_chosen(cast: Cast) -> None:
    _, made = await connected(cast, agent=f"{cast.other_board.id}:new")
    for about, expected in (
        ({}, f"{cast.other_board.id}:{made['agent']['id']}"),
        ({"client": "codex"}, f"{cast.other_board.id}:new"),
        ({"board": cast.board.name}, f"{cast.board.id}:new"),
        ({"board": str(cast.board.id), "agent": "vega"}, f"{cast.board.id}:{cast.vega.id}"),
        ({"board": cast.board.name, "agent": "Kit"}, f"{cast.board.id}:new"),
    ):
        terminal = await ask(cast.app, **about)
        page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")
        assert page.form("/device/approvals")["agent"] == [expected], about


async def test_new_agent_is_called_as_its_terminal_wants(cast: Cast) -> None:
    _, made = await connected(cast, board=cast.board.name)
    assert made["agent"]["name"] == "Claude Code (Ada)"
    terminal = await ask(cast.app, board=cast.board.name, agent="Kit")
    (await approve(cast, cast.ada, terminal)).is_status(303)
    assert (await terminal.program())[1]["agent"]["name"] == "Kit"


async def test_member_connects_new_agents_and_own_ones_only(cast: Cast) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.cleo)
    page = (await browser.get(f"/device?user_code={terminal.user_code}")).has("a new agent").lacks("Vega", "Atlas")
    sent = {"user_code": terminal.user_code, "agent": f"{cast.board.id}:{cast.vega.id}"}
    (await browser.post("/device/approvals", sent)).is_status(422).has("can no longer be chosen")
    page = await browser.post("/device/approvals", sent | {"agent": f"{cast.other_board.id}:new"})
    page.is_status(422)
    (await approve(cast, cast.cleo, terminal)).is_status(303)
    _, made = await terminal.program()
    again = await ask(cast.app)
    page = await browser.get(f"/device?user_code={again.user_code}")
    assert page.form("/device/approvals")["agent"] == [f"{cast.board.id}:{made['agent']['id']}"]


async def test_person_who_can_write_nowhere_can_only_refuse(cast: Cast) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.dan)
    page = await browser.get(f"/device?user_code={terminal.user_code}")
    page.has("You can write on no board").lacks("<span>Approve</span>")
    sent = {"user_code": terminal.user_code, "agent": f"{cast.board.id}:new"}
    (await browser.post("/device/approvals", sent)).is_status(422)


async def test_answer_is_shown_to_who_gave_it_and_hidden_from_others(cast: Cast) -> None:
    terminal = await ask(cast.app)
    seen = (await approve(cast, cast.ada, terminal)).is_status(303)
    ada, eve = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.eve)
    assert seen.leads_to == f"/device?user_code={terminal.user_code}"
    (await ada.get(seen.leads_to)).has("Go back to your terminal")
    (await eve.get(seen.leads_to)).has("answered already").lacks("Go back to your terminal", "mara-laptop")
    (await eve.post("/device/refusals", {"user_code": terminal.user_code})).is_status(409)
    await terminal.program()
    (await ada.get(seen.leads_to)).has("Go back to your terminal")
    refused = await ask(cast.app)
    (await ada.post("/device/refusals", {"user_code": refused.user_code})).is_status(303)
    (await ada.get(f"/device?user_code={refused.user_code}")).has("Refused")


async def test_person_of_another_organization_connects_to_their_own_boards(cast: Cast) -> None:
    terminal = await ask(cast.app, board=str(cast.board.id))
    page = await (await visitor(cast.app, cast.eve)).get(f"/device?user_code={terminal.user_code}")
    page.lacks(cast.board.name)
    assert page.form("/device/approvals")["agent"] == [f"{cast.foreign_board.id}:new"]


async def test_boards_of_all_organizations_are_offered_by_name(cast: Cast) -> None:
    await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ada.id, role="member", all_boards_write=True)
    terminal = await ask(cast.app)
    page = await (await visitor(cast.app, cast.ada)).get(f"/device?user_code={terminal.user_code}")
    page.has(f"{cast.elsewhere.name}: {cast.foreign_board.name}")
    (await approve(cast, cast.ada, terminal, f"{cast.foreign_board.id}:new")).is_status(303)
    await terminal.program()
    assert (await Connection.get()).organization_id == cast.elsewhere.id


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
async def test_other_sites_approve_nothing(cast: Cast, headers: dict[str, str]) -> None:
    terminal = await ask(cast.app)
    browser = await visitor(cast.app, cast.ada)
    sent = {"user_code": terminal.user_code, "agent": f"{cast.board.id}:new"}
    (await browser.post_from("/device/approvals", sent, **headers)).is_status(403)
    assert (await DeviceCode.get()).state == "pending"
    await browser.get(f"/device?user_code={terminal.user_code}&agent={cast.board.id}:new")
    assert (await DeviceCode.get()).state == "pending"  # no GET decides


async def test_board_that_needs_a_yes_takes_no_program_that_cannot_be_held(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"call_rules": {"must": ["Bash(git push *)"]}})).ok()
    browser = await visitor(cast.app, cast.ada)
    for client, status in (("opencode", 422), ("gemini", 422), ("codex", 303)):
        terminal = await ask(cast.app, client=client, board=cast.board.name)
        sent = {"user_code": terminal.user_code, "agent": f"{cast.board.id}:new"}
        page = (await browser.post("/device/approvals", sent)).is_status(status)
        assert ("cannot be held until somebody says yes" in page.text) is (status == 422)
