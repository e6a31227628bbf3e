"""The files of an agent's workspace on a gateway: what an agent is told, by its role."""

import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.schemas import RULES
from mission_control.core import times
from mission_control.paths import data_dir
from mission_control.people.models import User

Role = Literal["worker", "lead", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """A board: its goal, its rules, and how many workers it takes."""

    id: UUID
    name: str
    description: str = ""
    board_type: str = "goal"
    objective: str = ""
    success_metrics: str = ""
    target_date: str = ""
    goal_confirmed: bool = False
    has_group: bool = False
    max_agents: int = 1
    rules: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, board: Board) -> "BoardFacts":
        metrics = board.success_metrics
        return cls(
            id=board.id,
            name=board.name,
            description=board.description or "",
            board_type=board.board_type,
            objective=board.objective or "",
            success_metrics=json.dumps(metrics, ensure_ascii=False, indent=1) if metrics else "",
            target_date=_moment(board.target_date),
            goal_confirmed=board.goal_confirmed,
            has_group=board.board_group_id is not None,
            max_agents=board.max_agents,
            rules={name: getattr(board, name) for name in RULES},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    name: str = ""
    preferred_name: str = ""
    pronouns: str = ""
    timezone: str = ""
    notes: str = ""
    context: str = ""

    @classmethod
    def of(cls, user: User) -> "PersonFacts":
        """Return the facts of a person; without a preferred name the first word of the name or address serves."""
        name = user.name or user.email or ""
        first = (user.preferred_name or "").split() or name.partition("@")[0].split()
        return cls(
            name=name,
            preferred_name=first[0] if first else "",
            pronouns=user.pronouns or "",
            timezone=user.timezone or "",
            notes=user.notes or "",
            context=user.context or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts:
    """Everything that the texts for one agent need. A main agent has no board, every other agent has one."""

    role: Role
    agent_id: UUID
    name: str
    base_url: str
    token: str = field(repr=False)
    workspace_root: str = ""
    workspace_path: str = ""
    soul: str = ""
    identity_profile: Mapping[str, str] = field(default_factory=dict)
    identity_template: str = ""
    board: BoardFacts | None = None
    person: PersonFacts | None = None

    @classmethod
    def of(
        cls,
        agent: Agent,
        board: Board | None,
        person: User | None,
        *,
        base_url: str,
        token: str,
        workspace_root: str,
        workspace_path: str,
        soul: str | None = None,
    ) -> "WorkspaceFacts":
        """Return the facts of an agent's rows. `soul` is used where the agent has none of its own."""
        return cls(
            role="main" if board is None else "lead" if agent.is_board_lead else "worker",
            agent_id=agent.id,
            name=agent.name,
            base_url=base_url,
            token=token,
            workspace_root=workspace_root,
            workspace_path=workspace_path,
            soul=agent.soul_template or soul or "",
            identity_profile=_texts(agent.identity_profile or {}),
            identity_template=agent.identity_template or "",
            board=None if board is None else BoardFacts.of(board),
            person=None if person is None else PersonFacts.of(person),
        )


def _texts(profile: Mapping[str, object]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in profile.items()}


def _moment(value: datetime | None) -> str:
    return "" if value is None else times.wire(value)


KEYS = ("BASE_URL", "AUTH_TOKEN", "AGENT_NAME", "AGENT_ID", "BOARD_ID", "WORKSPACE_ROOT", "WORKSPACE_PATH")
# As we write a line, and as people and the predecessor do: as an item of a list, in backticks, exported, in quotes.
LINE = re.compile(rf"^\s*(?:[-*]\s+)?`?\s*(?:export\s+)?({'|'.join(KEYS)})\s*[=:]\s*(.*?)\s*`?\s*$")
QUOTES = re.compile(r"""^(["'])(.*)\1$""")


# Read the credentials back from a workspace file.
def credentials_in(text: str) -> dict[str, str]:
    """Return the credentials in a text by their keys. Of two lines with one key the first counts.

    Ours stand above all texts of people, which therefore cannot replace them.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            key, value = match.groups()
            found.setdefault(key, QUOTES.sub(r"\2", value.strip()))
    return found


def token_in(text: str) -> str | None:
    """Return the agent's token in a text, or None."""
    return credentials_in(text).get("AUTH_TOKEN") or None


LINE_LENGTH = 200


# Fit texts of people and agents into files of a limited size.
@dataclass(frozen=True, slots=True)
class Passage:
    """A text of any length, its heading, and where to read the whole when a file has no place for it."""

    title: str
    text: str
    whole: str


def size(text: str) -> int:
    """Return the length of a text as a gateway counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def one_line(text: str) -> str:
    """Return a text as one line of at most 200 characters."""
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
    """Return the text, cut to at most `limit` with a last line that says where the whole is."""
    if size(passage.text) <= limit:
        return passage.text
    notice = f"\n\n(Cut here. The whole: {passage.whole})"
    return f"{_beginning(passage.text, max(limit - size(notice), 0)).rstrip()}{notice}"


def _beginning(text: str, limit: int) -> str:
    start = text[:limit]
    while size(start) > limit:
        start = start[: limit - size(start)]
    return start


OWN = ("USER.md", "MEMORY.md")


# Which files of a workspace are written, and which belong to the agent.
@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a workspace is written: for the first time or again, and what is forced."""

    role: Role
    is_update: bool
    overwrite: bool = False
    force_bootstrap: bool = False


def written(names: Iterable[str], writing: Writing, *, existing: Collection[str]) -> tuple[str, ...]:
    """Return the files to write, in order. `existing` are those which the gateway lists and does not call missing."""
    return tuple(_written(names, writing, existing))


def _written(names: Iterable[str], writing: Writing, existing: Collection[str]) -> Iterator[str]:
    for name in names:
        if name == "BOOTSTRAP.md":
            # An agent deletes it once it has started; while it is there, it must be up to date.
            if writing.force_bootstrap or not writing.is_update or name in existing:
                yield name
        elif name not in OWN or not _is_kept(name, writing, existing):
            yield name


def _is_kept(name: str, writing: Writing, existing: Collection[str]) -> bool:
    """Return whether the agent's own text stays. A main agent's USER.md follows the person it works for."""
    if not writing.is_update or writing.overwrite or name not in existing:
        return False
    return not (name == "USER.md" and writing.role == "main")


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
    """Return the text of each file, of those that the gateway accepts; the caller decides which ones it writes."""
    known = [name for name in FILES if name in names]
    folded = frozenset(FOLDED) - set(known)
    details: dict[str, Passage] = {}
    files = {name: _file(facts, name, folded, details) for name in known if name != "MEMORY.md"}
    if "MEMORY.md" in known:
        files["MEMORY.md"] = _memory(facts, folded, details)
    return files


def _file(facts: WorkspaceFacts, name: str, folded: frozenset[str], details: dict[str, Passage]) -> str:
    """Return the text of a file. Passages that it had to cut are added to `details`."""
    if name == "SOUL.md" and facts.soul:
        # What the API takes fits, and agents and people read it back from this file: it stays as it is. Only a soul
        # from a public directory can be longer.
        whole = Passage("", facts.soul, "ask the person who chose this soul")
        return facts.soul if len(facts.soul) <= LONGEST else cut(whole, LONGEST)
    passages = _passages_of(facts, name, folded)
    render = functools.partial(_rendered, facts, name, folded)
    marks = dict.fromkeys(passages, "-")
    free = LIMITS.get(name, LONGEST) - size(render(marks)) + len(marks)
    texts = fitted(passages, free)
    details |= {key: one for key, one in passages.items() if texts[key] != one.text}
    return render(texts)


def _memory(facts: WorkspaceFacts, folded: frozenset[str], details: Mapping[str, Passage]) -> str:
    """Return the text of MEMORY.md, with what other files had no place for."""

    def render(texts: Mapping[str, str]) -> str:
        titled = [(details[key].title, text) for key, text in texts.items()]
        return _rendered(facts, "MEMORY.md", folded, {}, details=titled)

    free = LIMITS["MEMORY.md"] - size(render(dict.fromkeys(details, "-"))) + len(details)
    return render(fitted(details, free))


def _passages_of(facts: WorkspaceFacts, name: str, folded: frozenset[str]) -> dict[str, Passage]:
    found: dict[str, Passage] = {}
    if name == "IDENTITY.md" or (name == "AGENTS.md" and "IDENTITY.md" in folded):
        found |= _identity(facts)
    if name == "AGENTS.md" and facts.board is not None:
        found |= _board(facts.board)
    if name == "USER.md" and facts.person is not None:
        found |= _person(facts.person)
    return {key: one for key, one in found.items() if one.text.strip()}


def _identity(facts: WorkspaceFacts) -> dict[str, Passage]:
    if facts.identity_template:
        return {"identity_template": Passage("Identity", facts.identity_template, AGENT % "identity_template")}
    profile = {key: text for key, text in facts.identity_profile.items() if key != "role"}
    first = [key for key in PROFILE_ORDER if key in profile]
    lines = [f"- {_label(key)}: {profile[key]}" for key in (*first, *(key for key in profile if key not in first))]
    return {"identity_profile": Passage("Identity", "\n".join(lines), AGENT % "identity_profile")}


def _label(key: str) -> str:
    return one_line(key).replace("_", " ").capitalize()


def _board(board: BoardFacts) -> dict[str, Passage]:
    return {
        "objective": Passage("Goal of the board", board.objective, BOARD % "objective"),
        "success_metrics": Passage("Measures of success", board.success_metrics, BOARD % "success_metrics"),
        "description": Passage("Description of the board", board.description, BOARD % "description"),
    }


def _person(person: PersonFacts) -> dict[str, Passage]:
    return {"notes": Passage("Notes", person.notes, PERSON), "context": Passage("Context", person.context, PERSON)}


def _rendered(facts: WorkspaceFacts, name: str, folded: frozenset[str], long: Mapping[str, str], **more: object) -> str:
    """Return a file with these passages in it; those that are missing are empty."""
    values = dict.fromkeys(PASSAGES, "")
    text = _template(name).render(facts=facts, folded=folded, long=values | dict(long), **_lines(facts, folded), **more)
    return f"{text.strip()}\n"


def _lines(facts: WorkspaceFacts, folded: frozenset[str]) -> dict[str, object]:
    """Return what stands in one line each, so that no text of a person can pass for a line of ours."""
    board, person = facts.board, facts.person
    return {
        "base_url": facts.base_url.rstrip("/"),
        "token": facts.token,
        "name": one_line(facts.name),
        "role_name": one_line(facts.identity_profile.get("role", "") or ROLES[facts.role]),
        "workspace_root": one_line(facts.workspace_root),
        "workspace_path": one_line(facts.workspace_path),
        "tools_file": "AGENTS.md" if "TOOLS.md" in folded else "TOOLS.md",
        "board": board,
        "board_name": one_line(board.name) if board else "",
        "board_type": one_line(board.board_type) if board else "",
        "rules": dict.fromkeys(RULES, False) | dict(board.rules if board else {}),
        "person": person,
        "person_name": one_line(person.name) if person else "",
        "person_called": one_line(person.preferred_name or person.name) if person else "",
        "pronouns": one_line(person.pronouns) if person else "",
        "timezone": one_line(person.timezone) if person else "",
    }


@functools.cache
def _template(name: str) -> Any:
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(data_dir("templates") / "workspace"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
