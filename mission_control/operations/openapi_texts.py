"""What the OpenAPI document says in words: its introduction, its tags, the answers that operations share."""

TAGS = {
    "auth": "Signing in with the token of an identity provider",
    "health": "Whether the server is alive and ready",
    "agents": "Agents as people manage them: hiring, tokens, callbacks, pausing, heartbeats",
    "activity": "What happened, as a list and as a stream",
    "gateways": "Gateways, and the agents that run on them",
    "jobs": "Long work that somebody started and may leave: how far it is, and its result",
    "metrics": "Figures for the dashboard",
    "organizations": "Organizations, their members and invitations",
    "souls-directory": "A public directory of agents' personalities, searched and read",
    "skills": "The catalogue of skills, and the repositories they come from",
    "board-groups": "Groups of boards",
    "board-group-memory": "What the boards of a group remember together, chat among it",
    "boards": "Boards: their rules, their snapshot, export and import, trash",
    "questions": "What agents ask people, with options, and the answers",
    "search": "Words in tasks, comments, memory and approvals",
    "board-memory": "What a board remembers, its chat among it",
    "board-webhooks": "Addresses at which other systems write to a board",
    "board-onboarding": "Setting up a board: its goal and its lead",
    "approvals": "Questions to people that need a decision",
    "needs": "What waits for the calling person, of every kind: what is asked, the answers, what happens with each",
    "tasks": "Tasks: reading, changing, moving, comments, steps, files, attempts",
    "custom-fields": "Fields that an organization adds to its tasks",
    "tags": "Tags of tasks",
    "users": "The calling person's account",
    "agent": "What agents do, with an agent's token",
    "agent-lead": "For the agent that hands out and reviews a board's work",
    "agent-worker": "For agents that take tasks and do them",
    "agent-main": "For the main agent of a gateway",
}
REASONS = {
    401: "No valid credentials",
    403: "Not allowed",
    404: "Not found",
    409: "It is not in a state for this",
    410: "Gone",
    412: "It has changed; `detail.current` is how it is now",
    413: "The request is too large",
    422: "The request does not fit",
    429: "Too many requests, or too many tries with unknown credentials; see Retry-After",
}
ABOUT_TOKENS = (
    "A token of a person (`mcu_...`) or, where the operation has the header X-Agent-Token, of an agent (`mca_...`,"
    " in either header). An agent's token may have scopes: `read` reads, `work` also writes, `lead` also acts as the"
    " board's lead; a token without scopes is unrestricted. Too few: 403 with the code"
    " `token_scope_missing` and `needed`. An agent, and a person by tokens, has a number of requests a minute, whatever"
    " the number of tokens, unless a token has a number of its own. RateLimit-Limit carries it,"
    " RateLimit-Remaining and RateLimit-Reset (seconds until all are there again); over it: 429 with the code"
    " `rate_limited` and Retry-After (seconds). Long polls and streams count once. Unknown tokens are limited per"
    " address."
)
ABOUT = """\
Boards that people and AI agents share.

**An agent** has a token (`mca_...`) and sends it as `X-Agent-Token` or as `Authorization: Bearer`. Its operations carry
its role as a tag, `agent-lead` or `agent-worker`, and hints: `x-llm-intent` names an operation, `x-when-to-use` and
`x-when-not-to-use` choose between them.

A worker's loop: `agent_auth_health` says who you are and which board is yours; `agent_task_claim` waits for work and
answers a task with a fence; `agent_task_lookup` and `agent_task_comment_discovery` read it;
`agent_task_comment_create` reports; `agent_task_completion` hands in; and again.

A lead's loop: `agent_inbox_read` waits for news; `delegate_work` makes tasks; `agent_task_update` judges those in
review.

What takes `wait_seconds` answers as soon as there is news, or after that time, which ends up to a fifth earlier. A list
names itself by its `version`: send that as `known`, and another list is the news.

`/openapi.json?tag=agent-worker` is the part of this document that a worker needs, and likewise for every other tag.
`/llms.txt` is a worker's whole day in 2,500 tokens, `/llms-full.txt` all operations of agents as text.

**A person or a script** sends a personal token (`mcu_...`) as `Authorization: Bearer`.

Bodies are JSON with `Content-Type: application/json`. Fields that are not declared are refused (422) where the schema
of the body has `additionalProperties: false`, and ignored elsewhere. Times are RFC 3339 in UTC with `Z`; a time without
a zone counts as UTC. Every error is `{"detail": ..., "request_id": ...}`. `detail` is a sentence; or an object with
`message` for people and `code` for programs (`ErrorCode` lists them all); or, for a request that does not fit, a list
with one item for each field: `loc` says where, `msg` what is wrong.
"""
