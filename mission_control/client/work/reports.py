"""What the board hears of a task while a program does it."""

from __future__ import annotations

import contextlib
import os
import socket

from mission_control.client.problems import Problem
from mission_control.client.work.sending import outbox_of, send_once
from mission_control.client.work.telling import BoardLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import UsageEntry
    from mission_control.client.work.inbox import Inbox
    from mission_control.client.work.task import TaskFile
    from mission_control.client.work.worker import Worker

REPORTS = "/api/v1/agent/reports"


class Reports:
    """The link of a task's session with the board, and what has to arrive besides."""

    def __init__(self, worker: Worker, task: TaskFile, inbox: Inbox) -> None:
        self._worker, self._task, self._inbox = worker, task, inbox
        self.link: BoardLink | None = None

    def begin(self) -> None:
        """Let the board know the session, as soon as it has a name."""
        worker, task = self._worker, self._task
        if not worker.program.acp:
            task.save(session=task.run)
        if self.link is not None:
            if self.link.common["session_id"] == task.session:
                return
            self.link.over.set()
        if task.session:
            self._describe()
        self.link = BoardLink(worker.connection, worker.program.key, task.session, task.tree, self._inbox)
        self.link.keep(f"{task.path}/lease", task.fence, worker.given.lease)

    def _describe(self) -> None:
        task = self._task
        facts = {
            "external_id": task.session, "client": self._worker.program.key, "client_version": task.version,
            "host_label": socket.gethostname()[:255], "cwd_label": os.path.basename(task.top)[:255],
            "branch": task.branch[:255], "mode": task.mode, "title": f"#{task.number} {task.title}"[:200],
        }  # fmt: skip
        session = {name: value for name, value in facts.items() if value}
        body = {"session": session, "task_id": task.task, "fence": task.fence}
        with contextlib.suppress(Problem):
            self._worker.api.call("POST", REPORTS, body, fence=task.fence)

    def tell(self, name: str, **fields: object) -> None:
        if self.link is not None and self._task.session:
            self.link.tell(name, **fields)

    def report_usage(self, name: str, entries: list[UsageEntry]) -> None:
        """Have usage arrive, whatever happens."""
        task = self._task
        session = {"external_id": task.session, "client": self._worker.program.key}
        models = [entry["model"] for entry in entries if entry.get("model")]
        if models:
            session["model"] = max(models, key=models.count)
        body = {"session": session, "task_id": task.task, "fence": task.fence, "usage": entries}
        outbox_of(task).put(f"1-usage-{name}-{task.fence}", "POST", REPORTS, body)
        send_once(self._worker, task)

    def close(self, *, ended: bool) -> None:
        link, self.link = self.link, None
        if link is not None:
            if ended and self._task.session:
                link.tell("SessionEnd")
            link.close()
