"""The program for terminals, which kills a process at one of its steps: DIES is `N VICTIM`, the pid or `self`.

Steps are what it writes, removes and sends, each before and after that; of the thread that works, so that their order
is the same each time. Without DIES it counts them in the file STEPS.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from mission_control.client import api, files
from mission_control.client.__main__ import main
from mission_control.client.work import acp

number, _, victim = os.environ.get("DIES", "0 self").partition(" ")
passed = 0


def step() -> None:
    global passed
    if threading.current_thread() is threading.main_thread():
        passed += 1
        if passed == int(number):
            os.kill(os.getpid() if victim == "self" else int(victim), signal.SIGKILL)


def around(owner: Any, name: str) -> None:
    function = getattr(owner, name)

    def done(*given: Any, **more: Any) -> Any:
        step()
        answer = function(*given, **more)
        step()
        return answer

    setattr(owner, name, done)


around(files, "write")
around(files, "remove")
around(api.Api, "send")
around(acp.Agent, "_send")
code = main()
if path := os.environ.get("STEPS"):
    Path(path).write_text(str(passed))
sys.exit(code)
