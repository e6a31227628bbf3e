"""The real gateway of a run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.fake_model import FakeModel
from tests.gateway.real import RealGateway
from tests.gateway.real_programs import programs


@pytest.fixture(scope="session")
def real_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    """A real OpenClaw gateway with a scripted model, started once (about 15 s) for all tests that use it."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with FakeModel() as model:
        gateway = RealGateway(programs(), folder, model)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()
            shutil.rmtree(folder, ignore_errors=True)
