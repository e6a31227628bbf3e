"""The real Codex, signed in to a subscription that does not exist, says how much of it is used up."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from mission_control.client import program
from mission_control.client.programs import codex
from mission_control.core import times
from tests.mcp.fake_model import FakeModel, served

pytestmark = pytest.mark.long


def written(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Account(FakeModel):
    """What Codex asks for its windows."""

    def __init__(self) -> None:
        super().__init__([])
        self.app = Quart(__name__)
        window = {"reset_after_seconds": 100, "reset_at": 1_900_000_000}
        limits = {
            "primary_window": window | {"used_percent": 42, "limit_window_seconds": 18_000},
            "secondary_window": window | {"used_percent": 9, "limit_window_seconds": 604_800},
        }

        @self.app.route("/<path:path>", methods=["GET", "POST"])
        async def answer(path: str) -> Any:
            return {"plan_type": "plus", "rate_limit": {"allowed": True, "limit_reached": False, **limits}}


async def test_windows(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = {"chatgpt_plan_type": "plus", "chatgpt_user_id": "u", "chatgpt_account_id": "a"}
    claims = {"email": "mara@example.org", "exp": 1_900_000_000, "https://api.openai.com/auth": plan}
    token = f"{written({'alg': 'none'})}.{written(claims)}.{written({})}"
    tokens = {"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "a"}
    now = times.clock_now().isoformat() + "Z"
    signed_in = {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": now}
    (tmp_path / "auth.json").write_text(json.dumps(signed_in))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    assert await windows(programs, tmp_path, "http://127.0.0.1:9") == []
    async with served(Account()) as url:
        first, second = await windows(programs, tmp_path, url)
    assert (first["name"], first["used_percent"], second["name"], second["used_percent"]) == ("5 hours", 42, "week", 9)


async def windows(programs: Path, home: Path, url: str) -> list[program.Window]:
    (home / "config.toml").write_text(f'chatgpt_base_url = "{url}"\n')
    return await asyncio.to_thread(codex.PROGRAM.windows, str(programs / "codex"))
