"""The files of an agent's workspace on a gateway: what an agent is told, by its role."""

import functools
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.schemas import RULES
from mission_control.core import times
from mission_control.core.paths import data_dir
from mission_control.database.sql import Row
from mission_control.people.models import User

Role = Literal["worker", "lead", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts:
    """Everything that the texts for one agent need. A main agent has no board, every other agent has one."""

    agent: Agent
    board: Board | None
    person: User | None = None
    base_url: str
    token: str = field(repr=False)
    workspace_root: str = ""

    @property
    def role(self) -> Role:
        if self.board is None:
            return "main"
        return "lead" if self.agent.is_board_lead else "worker"

    @property
    def identity_profile(self) -> dict[str, str]:
        profile = self.agent.identity_profile or {}
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in profile.items()}


KEYS = ("BASE_URL", "AUTH_TOKEN", "AGENT_NAME", "AGENT_ID", "BOARD_ID", "WORKSPACE_ROOT", "WORKSPACE_PATH")
# As we write a line, and as people and the predecessor do: as an item of a list, in backticks, exported, in quotes.
LINE = re.compile(rf"^\s*(?:[-*]\s+)?`?\s*(?:export\s+)?({'|'.join(KEYS)})\s*[=:]\s*(.*?)\s*`?\s*$")
QUOTES = re.compile(r"""^(["'])(.*)\1$""")


def credentials_in(text: str) -> dict[str, str]:
    """Read the credentials in a text by their keys. Of two lines with one key the first counts.

    Ours stand above all texts of people, which therefore cannot replace them.
    """
    matches = [match.groups() for line in text.splitlines() if (match := LINE.match(line))]
    return {key: QUOTES.sub(r"\2", value.strip()) for key, value in reversed(matches)}


def token_in(text: str) -> str | None:
    return credentials_in(text).get("AUTH_TOKEN") or None


LINE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of any length, its heading, and where to read the whole when a file has no place for it."""

    title: str
    text: str
    whole: str


def size(text: str) -> int:
    """As a gateway counts: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if size(line) <= LINE_LENGTH else f"{_beginning(line, LINE_LENGTH - 3)}..."


def fitted(passages: Mapping[str, Passage], free: int) -> dict[str, str]:
    """Return the texts, together no longer than `free`; the longest are cut first, and say where the whole is."""
    texts: dict[str, str] = {}
    by_size = sorted(passages, key=lambda name: size(passages[name].text))
    for position, name in enumerate(by_size):
        texts[name] = cut(passages[name], max(free, 0) // (len(by_size) - position))
        free -= size(texts[name])
    return texts


def cut(passage: Passage, limit: int) -> str:
    if size(passage.text) <= limit:
        return passage.text
    notice = f"\n\n(Cut here. The whole: {passage.whole})"
    return f"{_beginning(passage.text, max(limit - size(notice), 0)).rstrip()}{notice}"


def _beginning(text: str, limit: int) -> str:
    start = text[:limit]
    while size(start) > limit:
        start = start[: limit - size(start)]
    return start


def written(
    names: Iterable[str],
    role: Role,
    existing: Collection[str],
    *,
    is_update: bool,
    overwrite: bool = False,
    force_bootstrap: bool = False,
) -> tuple[str, ...]:
    """Return the files to write, in order. `existing` are those which the gateway lists and does not call missing."""
    # The agent's own texts stay, but a main agent's USER.md follows the person it works for.
    own = ("MEMORY.md",) if role == "main" else ("USER.md", "MEMORY.md")

    def is_due(name: str) -> bool:
        if name == "BOOTSTRAP.md":
            # An agent deletes it once it has started; while it is there, it must be up to date.
            return force_bootstrap or name in existing
        return name not in own or overwrite or name not in existing

    return tuple(name for name in names if not is_update or is_due(name))


FOLDED = ("TOOLS.md", "IDENTITY.md")
FILES = ("AGENTS.md", "SOUL.md", "USER.md", "BOOTSTRAP.md", "MEMORY.md", *FOLDED, "HEARTBEAT.md")
# In UTF-16 units. A gateway shows an agent 20,000 of a file, 4,000 of USER.md, and 60,000 of all files together.
LONGEST = 20_000
LIMITS = {"USER.md": 4_000, "MEMORY.md": 12_000, "BOOTSTRAP.md": 2_000}
PROFILE_ORDER = (
    "purpose", "personality", "communication_style", "emoji", "autonomy_level", "verbosity", "output_format",
    "update_cadence", "custom_instructions",
)  # fmt: skip
PASSAGES = (
    "identity_template", "identity_profile", "objective", "success_metrics", "description", "notes", "context",
)  # fmt: skip
ROLES = {"worker": "Generalist", "lead": "Board lead", "main": "Main agent of the gateway"}
BOARD = "`./mc GET /api/v1/agent/boards/{board_id}`, field `%s`"
AGENT = "`./mc GET '/api/v1/agent/agents?limit=200'`, the item with your id, field `%s`"
PERSON = "Ask what you need to know with `POST /api/v1/agent/boards/{board_id}/questions`"


def workspace_files(facts: WorkspaceFacts, *, names: Sequence[str]) -> dict[str, str]:
    ordered = [name for name in FILES if name in names]
    folded = frozenset(FOLDED) - set(ordered)
    details: dict[str, Passage] = {}
    files = {name: _file(facts, name, folded, details) for name in ordered if name != "MEMORY.md"}
    if "MEMORY.md" in ordered:
        files["MEMORY.md"] = _memory(facts, folded, details)
    return files


def _file(facts: WorkspaceFacts, name: str, folded: frozenset[str], details: dict[str, Passage]) -> str:
    """Return the text of a file. Passages that it had to cut are added to `details`."""
    if name == "SOUL.md" and (soul := facts.agent.soul_template):
        # What the API takes fits, and agents and people read it back from this file: it stays as it is. Only a soul
        # from a public directory can be longer.
        return soul if len(soul) <= LONGEST else cut(Passage("", soul, "ask the person who chose this soul"), LONGEST)
    passages = _passages_of(facts, name, folded)
    render = functools.partial(_rendered, facts, name, folded)
    marks = dict.fromkeys(passages, "-")
    free = LIMITS.get(name, LONGEST) - size(render(marks)) + len(marks)
    texts = fitted(passages, free)
    details |= {key: passage for key, passage in passages.items() if texts[key] != passage.text}
    return render(texts)


def _memory(facts: WorkspaceFacts, folded: frozenset[str], details: Mapping[str, Passage]) -> str:

    def render(texts: Mapping[str, str]) -> str:
        titled = [(details[key].title, text) for key, text in texts.items()]
        return _rendered(facts, "MEMORY.md", folded, {}, details=titled)

    free = LIMITS["MEMORY.md"] - size(render(dict.fromkeys(details, "-"))) + len(details)
    return render(fitted(details, free))


def _passages_of(facts: WorkspaceFacts, name: str, folded: frozenset[str]) -> dict[str, Passage]:
    passages: dict[str, Passage] = {}
    if name == "IDENTITY.md" or (name == "AGENTS.md" and "IDENTITY.md" in folded):
        passages |= _identity(facts)
    if name == "AGENTS.md" and facts.board is not None:
        passages |= _of_board(facts.board)
    if name == "USER.md" and facts.person is not None:
        passages |= _of_person(facts.person)
    return {key: passage for key, passage in passages.items() if passage.text.strip()}


def _of_board(board: Board) -> dict[str, Passage]:
    metrics = json.dumps(board.success_metrics, ensure_ascii=False, indent=1) if board.success_metrics else ""
    texts = {
        "objective": ("Goal of the board", board.objective or ""),
        "success_metrics": ("Measures of success", metrics),
        "description": ("Description of the board", board.description or ""),
    }
    return {key: Passage(title, text, BOARD % key) for key, (title, text) in texts.items()}


def _of_person(person: User) -> dict[str, Passage]:
    texts = {"notes": person.notes or "", "context": person.context or ""}
    return {key: Passage(key.capitalize(), text, PERSON) for key, text in texts.items()}


def _identity(facts: WorkspaceFacts) -> dict[str, Passage]:
    if template := facts.agent.identity_template:
        return {"identity_template": Passage("Identity", template, AGENT % "identity_template")}
    profile = {key: text for key, text in facts.identity_profile.items() if key != "role"}
    in_order = [key for key in PROFILE_ORDER if key in profile]
    in_order += [key for key in profile if key not in in_order]
    lines = [f"- {one_line(key).replace('_', ' ').capitalize()}: {profile[key]}" for key in in_order]
    return {"identity_profile": Passage("Identity", "\n".join(lines), AGENT % "identity_profile")}


def _rendered(facts: WorkspaceFacts, name: str, folded: frozenset[str], long: Mapping[str, str], **more: object) -> str:
    values = dict.fromkeys(PASSAGES, "")
    context = {"facts": facts, "folded": folded, "long": values | dict(long), **_lines(facts, folded), **more}
    return f"{_environment().get_template(name).render(**context).strip()}\n"


def _lines(facts: WorkspaceFacts, folded: frozenset[str]) -> Row:
    """One line each, so that no text of a person can pass for a line of ours."""
    agent, board, person = facts.agent, facts.board, facts.person
    name, called = _names_of(person) if person else ("", "")
    return {
        "base_url": facts.base_url.rstrip("/"),
        "token": facts.token,
        "name": one_line(agent.name),
        "role_name": one_line(facts.identity_profile.get("role", "") or ROLES[facts.role]),
        "workspace_root": one_line(facts.workspace_root),
        "workspace_path": one_line(agent.workspace_path or ""),
        "tools_file": "AGENTS.md" if "TOOLS.md" in folded else "TOOLS.md",
        "board": board,
        "board_name": _line_of(board, "name"),
        "board_type": _line_of(board, "board_type"),
        "due": times.wire(board.target_date) if board and board.target_date else "",
        "rules": {rule: board is not None and getattr(board, rule) for rule in RULES},
        "person": person,
        "person_name": one_line(name),
        "person_called": one_line(called),
        "pronouns": _line_of(person, "pronouns"),
        "timezone": _line_of(person, "timezone"),
    }


def _line_of(row: Board | User | None, name: str) -> str:
    return one_line(getattr(row, name, None) or "")


def _names_of(person: User) -> tuple[str, str]:
    """Split into the whole name of a person and how an agent calls them."""
    name = person.name or person.email or ""
    words = (person.preferred_name or "").split() or name.partition("@")[0].split()
    return name, words[0] if words else name


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(data_dir("templates") / "gateway_agents" / "workspace"), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
