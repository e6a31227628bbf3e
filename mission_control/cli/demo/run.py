"""`mission-control demo`: start a server if none runs, seed the data, and run the agents until Ctrl-C."""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import click
import httpx2

from mission_control.cli.demo import seed, story
from mission_control.cli.demo.agents import LEFT, Agent, Api, Gone, Lead, Worker, perform, run_colleague
from mission_control.core.actor import system
from mission_control.core.settings import ConfigError, Settings
from mission_control.database import setup
from mission_control.database.setup import connect, disconnect
from mission_control.people.accounts.credentials import create_personal_token, revoke_personal_token
from mission_control.people.audit.log_heads import open_logs
from mission_control.people.models import Token
from mission_control.people.sign_in.demo_pages import OWNER, new_link
from mission_control.server import serving

COLLEAGUE = "demo: simulated colleague"
STOP_SECONDS = 5.0
TO_START_SECONDS = 60.0
type Players = dict[str, Callable[[], Awaitable[None]]]
OVER = "The demo data is gone; the agents have stopped. Ctrl-C stops the demo."


def play(settings: Settings, url: str | None, agents: int, speed: float) -> None:
    """Run the demo against the server at `url`, the configured one, or a new one."""
    with _server(settings, url) as address, asyncio.Runner() as runner:
        runner.run(_play(settings, address, agents, speed))


@contextlib.contextmanager
def _server(settings: Settings, url: str | None) -> Iterator[str]:
    """Return the address of a running server; a server started here ends with this process."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    address = url or f"http://{host}:{settings.port}"
    if url or (settings.port and _answers(address)):
        if not _answers(address):
            raise ConfigError(f"No Mission Control answers at {address}.")
        yield address
        return
    with setup.held(settings.sqlite_path):
        listener = serving.bind(settings.host, settings.port)
        asyncio.run(serving.prepare(settings))
        alive_read, alive_write = os.pipe()  # the worker stops when the writing end is closed
        quiet = {"LOG_LEVEL": "ERROR", **os.environ}
        process = serving.start_worker(listener, alive_read, env=quiet, start_new_session=True)
        try:
            yield serving.visible_url(settings, listener)
        finally:
            os.close(alive_write)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        return bool(httpx2.get(f"{address}/healthz", timeout=20).json().get("ok"))
    except (httpx2.HTTPError, ValueError, AttributeError):
        return False


async def _play(settings: Settings, url: str, agents: int, speed: float) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    crew, link, colleague = await _cast(settings, agents)
    await _check_same_database(url, crew[0].secret)
    _greet(f"{url}{link}", crew)
    players: Players = {COLLEAGUE: partial(run_colleague, Api(url, colleague), speed, secrets.randbits(32))}
    for number, hired in enumerate(crew):
        kind: type[Agent] = Lead if hired.name == hired.lead_name else Worker
        agent = kind(Api(url, hired.secret), hired.name, hired.lead_name, speed, secrets.randbits(32) + number)
        players[hired.name] = agent.run
    acting = asyncio.create_task(_perform(players, speed))
    await stop.wait()
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)


async def _perform(players: Players, speed: float) -> None:
    await asyncio.gather(*(perform(name, act, speed) for name, act in players.items()))
    click.echo(OVER)


async def _cast(settings: Settings, agents: int) -> tuple[list[seed.Hired], str, str]:
    await connect(settings)
    try:
        await open_logs(settings)
        organization, crew = await seed.ready(agents)
        await seed.person_of(organization, *OWNER)
        colleague, actor = await seed.person_of(organization, *story.COLLEAGUES[0]), system(organization.id)
        for former in await Token.filter(user_id=colleague.id, name=COLLEAGUE, revoked_at=None):
            await revoke_personal_token(actor, former)
        return crew, await new_link(), (await create_personal_token(actor, colleague, COLLEAGUE)).secret
    finally:
        await disconnect()


async def _check_same_database(url: str, secret: str) -> None:
    api = Api(url, secret)
    try:
        async with asyncio.timeout(TO_START_SECONDS):
            await api.get("/agent/healthz")
    except Gone:
        raise ConfigError(
            f"The server at {url} uses another database than DATA_DIR and DATABASE_URL name here."
        ) from None
    except TimeoutError:
        raise ConfigError(f"The server at {url} does not answer.") from None
    finally:
        await api.close()


def _greet(link: str, crew: list[seed.Hired]) -> None:
    called = sys.argv[0]
    program = min(called, os.path.relpath(called), key=len) if os.sep in called else called
    click.echo(f"The demo is at {link}")
    click.echo(f"This link signs you in as {OWNER[1]}, its owner.")
    click.echo(
        f"At work are {', '.join(hired.name for hired in crew)}. {story.COLLEAGUES[0][1]}, a simulated colleague,"
    )
    click.echo(f"decides what has waited for a minute, but for the newest {LEFT}.")
    click.echo(f"Ctrl-C stops the demo, `{program} demo --wipe` removes it.")
