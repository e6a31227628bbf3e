"""What programs ask a permission for, on Home, in the queue and beside the list."""

import re
from html import unescape
from pathlib import Path

from tests.cast import Cast
from tests.hooks import called, hooks
from tests.runs.test_permissions import GIVEN, asking, decision_of, request
from tests.visitor import visitor

SPRITE = Path("static/icons/sprite.svg")
COMMAND = "rm -rf ./uploads \u202e&& echo <done>"
SHOWN = "rm -rf ./uploads \\u202e&amp;&amp; echo &lt;done&gt;"


async def test_command_is_whole_wherever_it_is_answered(cast: Cast) -> None:
    given = {"command": COMMAND, "description": "The disk is full."}
    async with asking(cast, request(given=given)) as (approval, waiting):
        ada = await visitor(cast.app, cast.ada)
        url = f"{cast.home.removeprefix('/api/v1')}/approvals/{approval['id']}"
        for page in ("/", "/approvals", url, f"/needs/approval:{approval['id']}"):
            seen = (await ada.get(page)).is_status(200)
            seen.has(SHOWN, "Allow once", "Nothing is ever allowed by waiting", "hides characters")
            seen.lacks("from now on", "Request changes")
        drawn = set(re.findall(r"sprite\.[^\"#]*#([a-z0-9-]+)", (await ada.get("/")).text))
        assert {"laptop", "folder"} <= drawn <= set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text("utf-8")))
        (await ada.get("/")).has('data-risk="high"', "Vega asks to run a command", "Claude Code", "The disk is full.")
        form = {"stop": "true", "substance": approval["substance"], "from": "row", "next": "/approvals"}
        await ada.post(f"{url}/decisions", form)
        assert decision_of(await waiting)["interrupt"]
        (await ada.get(url)).is_status(200).lacks(SHOWN, "The program does not have this answer yet")


async def test_home_says_that_the_keyboard_was_first(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with asking(cast) as (_, waiting):
        live = unescape((await ada.get("/")).text.split('hx-sse:connect="')[1].split('"')[0])
        async with ada.watching(live) as home:
            await hooks(cast.vega, called("PostToolUse", "Bash", "1", **GIVEN))
            assert await waiting == {}
            row = await home.until("Somebody at the keyboard approved this")
        assert "<s>Vega asks to run a command</s>" in row
