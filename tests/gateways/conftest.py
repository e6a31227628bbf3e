"""The real gateway of a run."""

from collections.abc import Iterator

import pytest

from tests.gateways.real import RealGateway, started
from tests.gateways.real_programs import programs


@pytest.fixture(scope="session")
def real_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    """A real OpenClaw gateway with a scripted model, started once (about 15 s) for all tests that use it."""
    with started(programs(), tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway
