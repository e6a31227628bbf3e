"""The params and results of gateways that this program uses, as far as it reads them.

A test holds every field against what OpenClaw publishes. Gateways send more; what is unknown is passed over.
"""

from typing import Literal, NotRequired, TypedDict


class AgentRow(TypedDict):
    """An agent in `agents.list`."""

    id: str
    name: NotRequired[str]
    workspace: NotRequired[str]


class AgentsList(TypedDict):
    """The answer to `agents.list`."""

    defaultId: str
    agents: list[AgentRow]


class AgentFile(TypedDict):
    """A file of an agent's workspace; without content where it is missing or was only listed."""

    name: str
    path: str
    missing: bool
    size: NotRequired[int]
    content: NotRequired[str]


class AgentFiles(TypedDict):
    """The answer to `agents.files.list`."""

    agentId: str
    files: list[AgentFile]


class OneAgentFile(TypedDict):
    """The answer to `agents.files.get` and `.set`."""

    agentId: str
    file: AgentFile


class SessionRow(TypedDict):
    """A session in `sessions.list`."""

    key: str
    agentId: NotRequired[str]
    kind: Literal["direct", "group", "global", "unknown"]
    label: NotRequired[str]
    displayName: NotRequired[str]
    sessionId: NotRequired[str]
    updatedAt: NotRequired[float | None]
    model: NotRequired[str]
    modelProvider: NotRequired[str]
    inputTokens: NotRequired[float]
    outputTokens: NotRequired[float]
    totalTokens: NotRequired[float]
    estimatedCostUsd: NotRequired[float]


class ChatDelta(TypedDict):
    """The event `chat` while an agent writes."""

    runId: str
    sessionKey: str
    seq: int
    state: Literal["delta"]
    deltaText: str
    message: NotRequired[object]


class ChatFinal(TypedDict):
    """The event `chat` when an agent has written."""

    runId: str
    sessionKey: str
    seq: int
    state: Literal["final"]
    message: NotRequired[object]
    usage: NotRequired[object]


class ChatError(TypedDict):
    """The event `chat` when a run failed; some send it twice."""

    runId: str
    sessionKey: str
    seq: int
    state: Literal["error"]
    errorMessage: NotRequired[str]


class QuestionOption(TypedDict):
    """A suggested answer."""

    label: str
    description: NotRequired[str]


class QuestionItem(TypedDict):
    """One of the questions that are asked together; before 2026.9 `id` instead of `questionId`."""

    questionId: str
    header: str
    question: str
    options: list[QuestionOption]
    multiSelect: NotRequired[bool]
    isOther: NotRequired[bool]
    isSecret: NotRequired[bool]


class Question(TypedDict):
    """Questions of an agent, as the event `question.requested` and `question.list` carry them."""

    id: str
    questions: list[QuestionItem]
    agentId: NotRequired[str]
    sessionKey: NotRequired[str]
    createdAtMs: int
    expiresAtMs: int
    status: Literal["pending", "answered", "cancelled", "expired"]


class AgentsCreateParams(TypedDict):
    """`agents.create`: the id is made of the name."""

    name: str
    workspace: NotRequired[str]
    model: NotRequired[str]
    emoji: NotRequired[str]


class AgentsUpdateParams(TypedDict):
    """`agents.update`."""

    agentId: str
    name: NotRequired[str]
    workspace: NotRequired[str]
    model: NotRequired[str | None]


class AgentsDeleteParams(TypedDict):
    """`agents.delete`."""

    agentId: str
    deleteFiles: NotRequired[bool]


class AgentsFilesSetParams(TypedDict):
    """`agents.files.set`."""

    agentId: str
    name: str
    content: str


class SessionsPatchParams(TypedDict):
    """`sessions.patch`: makes the session where there is none."""

    key: str
    label: NotRequired[str | None]
    model: NotRequired[str | None]


class ChatSendParams(TypedDict):
    """`chat.send`: the same key sends a message once."""

    sessionKey: str
    message: str
    idempotencyKey: str
    deliver: NotRequired[bool]
    queueMode: NotRequired[Literal["steer", "followup", "collect", "interrupt"]]
    timeoutMs: NotRequired[int]


class ChatHistoryParams(TypedDict):
    """`chat.history`."""

    sessionKey: str
    limit: NotRequired[int]
    offset: NotRequired[int]


class ConfigPatchParams(TypedDict):
    """`config.patch`: null deletes a key; the hash is that of the configuration that was read."""

    raw: str
    baseHash: NotRequired[str]
    note: NotRequired[str]


class WakeParams(TypedDict):
    """`wake`."""

    mode: Literal["now", "next-heartbeat"]
    text: str
    agentId: NotRequired[str]


class ApprovalResolveParams(TypedDict):
    """`approval.resolve`: the first answer wins."""

    id: str
    kind: Literal["exec", "plugin", "system-agent"]
    decision: Literal["allow-once", "allow-always", "deny"]


class ExecApprovalResolveParams(TypedDict):
    """`exec.approval.resolve`, of gateways before 2026.7."""

    id: str
    decision: str
