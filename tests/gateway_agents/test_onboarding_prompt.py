"""The request to a main agent: its examples are right against the OpenAPI document."""

import json
import re
import shlex
from uuid import UUID

import pytest
from quart import Quart

from mission_control.boards.models import Board
from mission_control.gateway_agents.onboarding.conversation import start_prompt
from mission_control.gateway_agents.onboarding.queries import BoardOnboardingAgentComplete, BoardOnboardingAgentQuestion

BOARD = UUID("0191d1d8-0000-7000-8000-000000000001")


@pytest.fixture
def prompt() -> str:
    board = Board(id=BOARD, name="Dome {{ x }}", description="See 'far'.\n%s")
    return start_prompt(board, "https://mc.example/base")


def commands(prompt: str) -> list[tuple[list[str], str]]:
    """The commands in a text: their words, and what they read from standard input."""
    found = re.findall(r"^(curl .*?) <<'JSON'\n(.*?)\nJSON$", prompt, re.DOTALL | re.MULTILINE)
    return [(shlex.split(line.replace("\\\n", " ")), body) for line, body in found]


def test_the_request_has_what_an_agent_needs(prompt: str) -> None:
    assert prompt.startswith("BOARD ONBOARDING REQUEST\n")
    for part in (
        "Dome {{ x }}", "See 'far'.\n%s", str(BOARD), "API base: https://mc.example/base", "X-Agent-Token", "AGENTS.md",
        "TOOLS.md", "6 to 10 questions", "I'll type it", "choose all that apply", "Additional context", "409",
    ):  # fmt: skip
        assert part in prompt


async def test_the_examples_fit_the_document(app: Quart, prompt: str) -> None:
    document = await (await app.test_client().get("/openapi.json")).get_json()
    asked, proposed = commands(prompt)
    for words, _ in (asked, proposed):
        assert words[:4] == ["curl", "-sS", "-X", "POST"]
        path = words[4].removeprefix("https://mc.example/base").replace(str(BOARD), "{board_id}")
        assert "post" in document["paths"][path]
        assert words[5:9] == ["-H", "X-Agent-Token: $AUTH_TOKEN", "-H", "Content-Type: application/json"]
    assert BoardOnboardingAgentQuestion.model_validate_json(asked[1])
    proposal = BoardOnboardingAgentComplete.model_validate_json(proposed[1])
    assert proposal.model_dump(exclude_unset=True, exclude={"target_date"}) == {
        name: value for name, value in json.loads(proposed[1]).items() if name != "target_date"
    }


def test_the_proposal_shows_every_field(prompt: str) -> None:
    shown = json.loads(commands(prompt)[1][1])
    for kind, part in (
        (BoardOnboardingAgentComplete, shown),
        (BoardOnboardingAgentComplete.model_fields["user_profile"].annotation.__args__[0], shown["user_profile"]),  # type: ignore[union-attr]
        (BoardOnboardingAgentComplete.model_fields["lead_agent"].annotation.__args__[0], shown["lead_agent"]),  # type: ignore[union-attr]
    ):
        assert set(kind.model_fields) == set(part)
