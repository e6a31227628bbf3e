"""Agents on the real gateway that work by their workspace files, as a model does that reads them.

What an agent does is one shell command for each message that it gets, run in its workspace by the gateway.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.gateways.fake_model import FakeModel, Reply, Turn

# Takes the command that fetches `mc` out of AGENTS.md, which is the one place where an agent finds its credentials.
MAKE_MC = """grep '^python3 .*/client.pyz' AGENTS.md > .make-mc && sh .make-mc"""
START = f"{MAKE_MC} && ./mc status && rm -f BOOTSTRAP.md"
CLAIMED = "./mc claim --lease 600"
WORK = f"{CLAIMED}; ./mc comment '**Update** It is done.' && ./mc finish 'It is done.'"

# Calls until there is a file `stop`, with the token as it was at first and as it is now; keeps the statuses in `codes`.
KEEP_CALLING = r"""
token() { sed -n 's/^AUTH_TOKEN=//p' AGENTS.md; }
url=$(sed -n 's/^BASE_URL=//p' AGENTS.md)/api/v1/agent/healthz first=$(token)
for round in $(seq 200); do
  [ -e stop ] && break
  for one in "$first" "$(token)"; do curl -s -o /dev/null -w '%{http_code}\n' -H "X-Agent-Token: $one" "$url"; done
  sleep 0.3
done >> codes
"""

# With the commands of a message, which use AUTH_TOKEN; it is read from the same place.
WITH_TOKEN = "AUTH_TOKEN=$(sed -n 's/^AUTH_TOKEN=//p' AGENTS.md)"
CURL = re.compile(r"^curl .*? <<'JSON'\n.*?\nJSON$", re.MULTILINE | re.DOTALL)


def callbacks_of(message: str) -> list[str]:
    """The commands with curl in a message, each ready to be run as it stands there."""
    return [f"{WITH_TOKEN}\n{command}" for command in CURL.findall(message)]


def assign(task_id: str, agent_id: str) -> str:
    """The command by which a lead assigns a task."""
    change = """./mc PATCH '/api/v1/agent/boards/{board_id}/tasks/{task_id}' '{"assigned_agent_id": "{agent_id}"}'"""
    return f"TASK={task_id} AGENT={agent_id} {change}"


@dataclass
class Scripted:
    """What agents do: a function for each gives the command for a message, or None to do nothing."""

    model: FakeModel
    acts: dict[str, Callable[[Turn], str | None]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)  # whose command gave a result, each time

    def __post_init__(self) -> None:
        """Answer for these agents; others keep to the model's rules."""
        self.model.answer = self.answer

    def answer(self, turn: Turn) -> Reply | None:
        """What the model says to an agent."""
        if turn.results:
            self.done.append(turn.agent)
            return Reply(f"DONE: {turn.results[-1][:200]}")
        if "read AGENTS.md" in turn.user or "BOOTSTRAP.md" in turn.user:
            return Reply(command=START)
        act = self.acts.get(turn.agent)
        command = act(turn) if act is not None else None
        return Reply(command=command) if command else None
