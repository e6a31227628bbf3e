"""`mission-control demo`: start a server if none runs, seed the data, and run the agents until Ctrl-C."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import click
import httpx2

from mission_control.cli import seed, story
from mission_control.cli.agents import LEFT, Agent, Api, Gone, Lead, Worker, run_colleague
from mission_control.cli.sign_in_page import new_link
from mission_control.config import ConfigError, Settings
from mission_control.core.actor import system
from mission_control.database.setup import connect, disconnect
from mission_control.people.credentials import create_personal_token, revoke_personal_token
from mission_control.people.heads import open_logs
from mission_control.people.models import Organization, Token

COLLEAGUE = "demo: simulated colleague"
STOP_SECONDS = 5.0
TO_START_SECONDS = 60.0


@dataclass(frozen=True)
class Cast:
    """The simulated agents and people of one run."""

    crew: list[seed.Hired]
    link: str
    colleague: str


def play(settings: Settings, url: str | None, agents: int, speed: float) -> None:
    """Run the demo against the server at `url`, the configured one, or a new one."""
    with _server(settings, url) as address, asyncio.Runner() as runner:
        runner.run(_play(settings, address, agents, speed))


@contextlib.contextmanager
def _server(settings: Settings, url: str | None) -> Iterator[str]:
    """Return the address of a running server; a server started here ends with this process."""
    from mission_control.database import setup

    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    address = url or f"http://{host}:{settings.port}"
    if url or (settings.port and _answers(address)):
        if not _answers(address):
            raise ConfigError(f"No Mission Control answers at {address}.")
        yield address
        return
    with setup.held(settings.sqlite_path):
        yield from _own_server(settings)


def _own_server(settings: Settings) -> Iterator[str]:
    from mission_control import serving

    listener = serving.bind(settings.host, settings.port)
    serving.run_prepare(settings)
    alive_read, alive_write = os.pipe()  # the worker stops when the writing end is closed
    process = _start_worker(listener, alive_read)
    try:
        yield serving.visible_url(settings, listener)
    finally:
        os.close(alive_write)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()


def _start_worker(listener: socket.socket, alive: int) -> subprocess.Popen[bytes]:
    shared = (listener.fileno(), alive)
    command = [sys.executable, "-m", "mission_control.cli", "worker", *map(str, shared)]
    quiet = {"LOG_LEVEL": "ERROR", **os.environ}
    return subprocess.Popen(command, pass_fds=shared, env=quiet, start_new_session=True)


def _answers(address: str) -> bool:
    try:
        return bool(httpx2.get(f"{address}/healthz", timeout=20).json().get("ok"))
    except (httpx2.HTTPError, ValueError, AttributeError):
        return False


async def _play(settings: Settings, url: str, agents: int, speed: float) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    cast = await _prepared(settings, agents)
    await _check_same_database(url, cast.crew[0].secret)
    _greet(url, cast)
    acting = [asyncio.create_task(one) for one in _acts(url, cast, speed)]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*acting, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*acting, waiting):
        task.cancel()
    await asyncio.gather(*acting, waiting, return_exceptions=True)
    if not stop.is_set():
        _print_end([task.exception() for task in done if not task.cancelled()])


async def _prepared(settings: Settings, agents: int) -> Cast:
    await connect(settings)
    try:
        await open_logs(settings)
        organization, crew = await seed.ready(agents)
        await seed.owner_of(organization)
        return Cast(crew, await new_link(), await _colleague(organization))
    finally:
        await disconnect()


async def _colleague(organization: Organization) -> str:
    colleague = await seed.colleague_of(organization)
    for former in await Token.filter(user_id=colleague.id, name=COLLEAGUE, revoked_at=None):
        await revoke_personal_token(system(organization.id), former)
    return (await create_personal_token(system(organization.id), colleague, COLLEAGUE)).secret


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


def _greet(url: str, cast: Cast) -> None:
    click.echo(f"The demo is at {url}{cast.link}")
    click.echo(f"This link signs you in as {story.OWNER_NAME}, its owner.")
    names, colleague = ", ".join(member.name for member in cast.crew), story.COLLEAGUES[0][1]
    click.echo(f"At work are {names}. {colleague}, a simulated colleague,")
    click.echo(f"decides what has waited for a minute, but for the newest {LEFT}.")
    click.echo(f"Ctrl-C stops the demo, `{_program()} demo --wipe` removes it.")


def _program() -> str:
    """Return how this program was called: `mission-control`, or its path."""
    return min(sys.argv[0], os.path.relpath(sys.argv[0]), key=len) if os.sep in sys.argv[0] else sys.argv[0]


def _acts(url: str, cast: Cast, speed: float) -> list[Coroutine[object, object, None]]:
    acts: list[Coroutine[Any, Any, None]] = []
    for number, member in enumerate(cast.crew):
        kind: type[Agent] = Lead if member.name == member.lead_name else Worker
        api = Api(url, member.secret)
        acts.append(kind(api, member.name, member.lead_name, speed, secrets.randbits(32) + number).run())
    return [*acts, run_colleague(Api(url, cast.colleague), speed, secrets.randbits(32))]


def _print_end(errors: list[BaseException | None]) -> None:
    flat = [one for error in errors for one in (error.exceptions if isinstance(error, BaseExceptionGroup) else [error])]
    if all(isinstance(one, Gone) for one in flat):
        click.echo("The demo data is gone; the agents have stopped.")
        return
    for error in flat:
        if error is not None:
            raise error
