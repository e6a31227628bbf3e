"""A real OpenID Connect provider as a process of its own, and applications that trust it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from quart import Quart

from mission_control.background import sending
from mission_control.core.settings import Settings
from mission_control.gateways.protocol import identity
from mission_control.people.accounts.deletion import DELETE_AT_PROVIDER
from mission_control.people.sign_in import _provider_requests, verification
from mission_control.people.sign_in.provider_accounts import clear_lookups
from mission_control.server.app import create_app
from tests.node_packages import Installer
from tests.people.browser import PATIENCE, SECRET, RunningProvider

SOURCE = Path(__file__).parent / "provider"

type MakeApp = Callable[..., Quart]


@pytest.fixture(scope="session")
def provider_process(npm: Installer) -> Iterator[RunningProvider]:
    """Start the provider once."""
    folder = npm(SOURCE, "provider.mjs")
    process = subprocess.Popen(
        ["node", "provider.mjs"],
        cwd=folder,
        env={**os.environ, "BACKEND_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        issuer = next((line.split()[1] for line in lines if line.startswith("issuer ")), None)
        assert issuer is not None, "the provider ended before it listened"
        yield RunningProvider(issuer)
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def provider(provider_process: RunningProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningProvider]:
    """Yield the provider with a long time limit and no cached look-ups."""
    monkeypatch.setattr(_provider_requests, "LONGEST_SECONDS", PATIENCE)
    clear_lookups()
    yield provider_process
    sending._senders.pop(DELETE_AT_PROVIDER, None)


@pytest.fixture
def make_app(app: Quart, provider: RunningProvider, tmp_path: Path) -> Iterator[MakeApp]:
    """Yield a factory of applications that trust the provider, on the tests' database."""

    def make(**settings: str) -> Quart:
        chosen = {
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": app.config["SETTINGS"].database_url,
            "SECRET_KEY": app.config["SECRET_KEY"],
            "AUTH_MODE": "oidc",
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": "mission-control",
            "OIDC_CLIENT_SECRET": "a secret / of: the client",
        }
        made = create_app(Settings.from_environment(chosen | settings))
        for sender in verification.senders(made):  # as when it begins to serve
            sending.install_sender(sender)
        return made

    yield make
    identity.keep(app)  # each application tells the loops of this process what it was made with


@pytest.fixture
def trusting(make_app: MakeApp) -> Quart:
    """Return an application with the usual settings of a provider."""
    return make_app()
