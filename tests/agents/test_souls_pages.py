"""The directory of souls as pages: finding, reading, and giving one to an agent."""

from mission_control.agents.models import Agent
from tests.cast import Cast
from tests.outside import souls_directory
from tests.visitor import visitor

SOULS = "/settings/souls"


async def test_soul_is_found_read_and_given_to_an_agent(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    async with souls_directory(cast.app) as directory:
        directory.lists("/souls/ada/night-owl", "/souls/ada/early-bird")
        directory.pages["/api/souls/ada/night-owl.md"] = (200, "# Owl\n\nYou wait. <script>x</script>")
        (await ada.get(SOULS)).is_status(200).has("Night owl", "Early bird", directory.url)
        (await ada.get(f"{SOULS}?q=owl")).has("Night owl").lacks("Early bird")
        (await ada.get(f"{SOULS}?q=zebra")).has("No soul fits")
        (await ada.get(f"{SOULS}/ada/night-owl")).has("You wait.", "Use it for Vega").lacks("<script>x")
        (await dan.get(f"{SOULS}/ada/night-owl")).has("You wait.", "no agent whose soul").lacks("Use it for Vega")
        give = f"{SOULS}/ada/night-owl/agents/{cast.vega.id}"
        (await ada.get(give)).is_status(200).has("You wait.", f"From {directory.url}/souls/ada/night-owl")
        (await dan.post(give, {"soul": "Mine."})).is_status(403)
        assert (
            await ada.post(give, {"soul": "You wait.", "reason": "Calm"})
        ).leads_to == f"/agents/{cast.vega.id}/soul"
    assert (await Agent.get(id=cast.vega.id)).soul_template == "You wait."


async def test_directory_that_is_away_says_so(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(SOULS)).is_status(200).has("no souls directory")
    (await ada.get(f"{SOULS}/ada/night-owl")).is_status(502).has("no souls directory")
