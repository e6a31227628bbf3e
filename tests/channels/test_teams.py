"""Microsoft Teams as a channel: cards of a team with a link, and the errors of workflows."""

from collections.abc import AsyncIterator

import pytest

from mission_control.channels.channel import Gone, Later, Line, Message, Refused
from mission_control.channels.providers.teams import TEAMS
from tests.channels.fake_teams import FakeTeams
from tests.channels.samples import DIGEST, ENDED, NEED, line_to
from tests.channels.serving import serving


class Place:
    """The provider, and a way to the team there."""

    def __init__(self, teams: FakeTeams, url: str) -> None:
        self.teams, self.url = teams, url

    def line(self, secret: str = "good-secret") -> Line:
        return line_to(f"{self.url}/workflows/{secret}/triggers/manual/paths/invoke?sig=secret-signature")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    teams = FakeTeams()
    async with serving(teams.app) as url:
        yield Place(teams, url)


async def test_need_has_a_link_and_literal_texts(place: Place) -> None:
    assert await TEAMS.send(place.line(), NEED) == ""
    [card] = place.teams.cards
    assert place.teams.texts == [NEED.title, *NEED.lines]
    assert {one["type"] for one in card["body"]} == {"RichTextBlock"}
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Look and answer", "url": NEED.url}]


async def test_what_ended_and_digests_are_taken(place: Place) -> None:
    await TEAMS.send(place.line(), ENDED)
    assert place.teams.cards[-1]["actions"][0]["title"] == "Look"
    await TEAMS.send(place.line(), DIGEST)
    assert "• Approve: deploy · Payments" in place.teams.texts
    await TEAMS.send(place.line(), Message("Mission Control reaches you here."))


async def test_errors_keep_the_words_of_teams(place: Place) -> None:
    with pytest.raises(Gone, match="The workflow is not found"):
        await TEAMS.send(place.line("deleted"), NEED)
    place.teams.fails = [(400, {"error": {"code": "WorkflowTriggerIsNotEnabled", "message": "It is not enabled."}})]
    with pytest.raises(Refused, match="It is not enabled"):
        await TEAMS.send(place.line(), NEED)
    place.teams.fails = [(400, "no JSON")]
    with pytest.raises(Refused, match="The answer was 400"):
        await TEAMS.send(place.line(), NEED)


async def test_trouble_of_teams_is_for_later(place: Place) -> None:
    inner = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with Context"
    place.teams.fails = [(429, ""), (503, ""), (200, inner)]
    for _ in range(3):
        with pytest.raises(Later):
            await TEAMS.send(place.line(), NEED)


async def test_inner_refusal_is_no_success(place: Place) -> None:
    place.teams.fails = [(200, "Microsoft Teams endpoint returned HTTP error 403 with ContextId x")]
    with pytest.raises(Refused, match="HTTP error 403"):
        await TEAMS.send(place.line(), NEED)


async def test_address_is_in_no_error(place: Place) -> None:
    line = place.line()
    place.teams.fails = [(400, {"error": {"code": "x", "message": f"bad {line.to}"}})]
    with pytest.raises(Refused) as caught:
        await TEAMS.send(line, NEED)
    assert str(caught.value) == "bad …"
