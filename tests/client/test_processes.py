"""Processes of an agent: all that it started ends with it, and what has ended is not waited for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mission_control.client.work import acp

# Starts a process in a group of its own, and never asks how it ended, as the first process of many containers does.
CARELESS = (
    "import os, subprocess, sys, time\n"
    "found = subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=subprocess.DEVNULL)\n"
    "os.waitid(os.P_PID, found.pid, os.WEXITED | os.WNOWAIT)\n"
    "print(found.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def group(request: pytest.FixtureRequest) -> Iterator[int]:
    """A group whose only process has ended, or whose second one has not."""
    command = [sys.executable, "-c", CARELESS, "sh", "-c", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as careless:
        assert careless.stdout is not None
        yield int(careless.stdout.readline())
        careless.kill()


@pytest.mark.parametrize("group", ["true"], indirect=True)
def test_what_ended_and_was_not_asked_for_is_not_waited_for(group: int) -> None:
    assert not acp._lives(group)


@pytest.mark.parametrize("group", ["sleep 600 &"], indirect=True)
def test_group_lives_as_long_as_any_of_it(group: int) -> None:
    assert acp._lives(group)
    os.killpg(group, signal.SIGKILL)
    while acp._lives(group):
        time.sleep(0.01)
