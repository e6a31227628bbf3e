"""The page of the rules for calls of programs: what is typed, who may, what is refused, the history."""

from tests.boards.test_call_rules import rule
from tests.cast import Cast
from tests.visitor import visitor


async def test_rules_are_changed_line_by_line_and_listed_with_who_and_when(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/calls"
    (await ada.get(page)).is_status(200).has("No rule was made yet")
    (await ada.get(f"/boards/{cast.board.id}/settings")).has(f'href="{page}"')
    form = {"allow": "Bash(git status *)\n\n  WebFetch  \n", "ask": "Bash(git push *)"}
    (await ada.post(page, form)).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["call_rules"] == {
        "allow": ["Bash(git status *)", "WebFetch"],
        "ask": ["Bash(git push *)"],
        "must": [],
    }
    await rule(cast, allow=["WebFetch"])
    seen = (await ada.get(page)).is_status(200)
    seen.has("Ada added <code>Bash(git push *)</code> to “Asks”")
    seen.has("Ada removed <code>Bash(git status *)</code> from “Without asking”")
    seen.lacks("No rule was made yet")


async def test_a_pattern_that_allows_too_much_comes_back_with_the_reason(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/calls"
    seen = (await ada.post(page, {"allow": "Bash(sh *)", "ask": "Bash(git push *)"})).is_status(422)
    seen.has("because sh runs others", "Bash(sh *)", 'aria-invalid="true"')
    assert (await cast.ada.get(cast.home)).ok()["call_rules"] is None


async def test_who_only_reads_a_board_cannot_change_its_rules(cast: Cast) -> None:
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(f"/boards/{cast.board.id}/calls")).is_status(403)


async def test_who_is_no_admin_reads_the_rules_and_changes_none(cast: Cast) -> None:
    await rule(cast, allow=["Bash(git status *)"])
    cleo, page = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}/calls"
    (await cleo.get(page)).is_status(200).has("<code>Bash(git status *)</code>").lacks("<textarea", "Save the rules")
    (await cleo.post(page, {"allow": "Bash(curl *)"})).is_status(403)
    assert (await cast.ada.get(cast.home)).ok()["call_rules"]["allow"] == ["Bash(git status *)"]


async def test_how_long_codex_waits_is_a_setting(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    settings = f"/boards/{cast.board.id}/settings"
    (await ada.get(settings)).has("Seconds that Codex waits", 'value="45"')
    (await ada.post(settings, {"name": "Telescope", "max_agents": "3", "codex_wait_seconds": "0"})).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["codex_wait_seconds"] == 0
