"""Several server processes that share one listening socket, restarted when they die."""

import logging
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

from mission_control.core.settings import Settings
from mission_control.server.serving import MISFIT, start_worker

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 60.0
STOP_SECONDS = 2.9

logger = logging.getLogger(__name__)


@dataclass
class Worker:
    """One of the workers: a running process, or one that waits for its next start."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    start_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """Start workers, restart those that die with growing pauses, stop all at SIGTERM, SIGINT or a misfit."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._listener = listener
        self._workers = [Worker(number) for number in range(1, settings.workers + 1)]
        self._alive_read, self._alive_write = os.pipe()  # workers stop when the writing end is closed
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        """Run the workers until a signal arrives; return the exit code."""
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write)
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(name, self._on_signal)
        while not self._stopping:
            for worker in self._workers:
                self._tend(worker)
            waits = [worker.start_at - time.monotonic() for worker in self._workers if worker.process is None]
            ready, _, _ = select.select([self._wake_read], [], [], max(0.0, min(waits)) if waits else None)
            if ready:
                os.read(self._wake_read, 4096)
        self._stop()
        return self._code

    def _on_signal(self, number: int, _frame: object) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD

    def _tend(self, worker: Worker) -> None:
        """Note that a worker has died, and start one whose time has come."""
        now = time.monotonic()
        if worker.process is not None and (code := worker.process.poll()) is not None:
            if code == MISFIT:
                worker.process, self._stopping, self._code = None, True, MISFIT
                return
            if now - worker.started_at > HEALTHY_SECONDS:
                worker.pause = FIRST_PAUSE
            logger.error("worker.died", extra={"worker": worker.number, "code": code, "restart_seconds": worker.pause})
            worker.process, worker.start_at = None, now + worker.pause
            worker.pause = min(worker.pause * 2, LONGEST_PAUSE)
        if worker.process is None and now >= worker.start_at:
            worker.process, worker.started_at = start_worker(self._listener, self._alive_read), now
            logger.info("worker.started", extra={"worker": worker.number, "pid": worker.process.pid})

    def _stop(self) -> None:
        self._listener.close()
        running = [worker.process for worker in self._workers if worker.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
