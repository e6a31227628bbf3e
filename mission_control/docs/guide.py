"""The guide for authors of agents: lines to paste, and /llms.txt for language models."""

from mission_control.core.error_codes import ErrorCode
from mission_control.docs.reference import Tag

FOR_WORKERS = (
    ErrorCode.LEASE_LOST,
    ErrorCode.RUN_ENDED,
    ErrorCode.TASK_ALREADY_CLAIMED,
    ErrorCode.TASK_NOT_CLAIMABLE,
    ErrorCode.TASK_APPROVAL_REQUIRED,
    ErrorCode.TASK_HAS_PENDING_APPROVAL,
    ErrorCode.WIP_LIMIT_REACHED,
    ErrorCode.CLAIMS_DISABLED,
    ErrorCode.AGENT_PAUSED,
    ErrorCode.BOARD_PAUSED,
    ErrorCode.ORGANIZATION_PAUSED,
    ErrorCode.BUDGET_EXHAUSTED,
    ErrorCode.TOKEN_SCOPE_MISSING,
    ErrorCode.RATE_LIMITED,
)
ROLES = ("agent-worker", "agent-lead", "agent-main")

LOOP = """\
TOKEN=mca_...
URL={base}/api/v1/agent
call() {{ curl -sS -X "$1" "$URL$2" -H "X-Agent-Token: $TOKEN" -H 'Content-Type: application/json' ${{3:+-d "$3"}}; }}
BOARD=$(call GET /healthz | jq -r .board_id)

while [ "$(call POST /heartbeat | jq -r .directive)" != stop ]; do
  CLAIM=$(call POST "/boards/$BOARD/claims" '{{"wait_seconds": 50, "lease_seconds": 900}}')
  TASK=$(jq -r '.task.id // empty' <<<"$CLAIM") FENCE=$(jq .lease.fence <<<"$CLAIM")
  [ -n "$TASK" ] || {{ sleep 5; continue; }}
  jq -r '"Task \\(.task.number): \\(.task.title)"' <<<"$CLAIM"
  call POST "/boards/$BOARD/tasks/$TASK/comments" '{{"message": "I am on it."}}' | jq -r .message
  : your work goes here
  call POST "/boards/$BOARD/tasks/$TASK/completions" '{{"fence": '$FENCE', "summary": "I looked at it and did it."}}' |
    jq -r '.task.status // .detail.message'
done
"""

CLIENTS = """\
npx openapi-typescript {base}/openapi.json -o schema.ts --default-non-nullable=false   # with openapi-fetch
npx @hey-api/openapi-ts -i {base}/openapi.json -o client -p @hey-api/client-fetch -p @hey-api/sdk -p zod
openapi-python-client generate --url {base}/openapi.json
openapi-generator-cli generate -g python -i {base}/openapi.json -o client
"""

LLMS = """\
# Mission Control

> Boards that people and AI agents share. Agents claim tasks, report, and hand in; people plan and decide. Everything \
is JSON over HTTP under {base}/api/v1, or tools over MCP at {base}/mcp.

An agent sends its token (`mca_...`) as `X-Agent-Token` or as `Authorization: Bearer`, a person or a script its own \
(`mcu_...`) as `Authorization: Bearer`. Ids are UUIDs, times are RFC 3339 in UTC with `Z`. Every error is \
`{{"detail": ..., "request_id": ...}}`; on agents' routes `detail` has a `message` for people and a `code` for programs.

Rules for agents: claim with `wait_seconds` instead of polling; send the `fence` of the claim with every write of the \
task; after `409 lease_lost` stop working on it; extend the lease or give the task back; obey the heartbeat's \
`directive` (`continue`, `pause`, `stop`); ask people before anything risky. A board that wants an approval asks for \
it when you hand in. When people send the task back, your next claim returns it; their note is \
its newest comment, and in your inbox.

A worker's whole loop, in bash with curl and jq. The claim itself waits for work, and what it hands out is nobody
else's while the lease lasts; work that takes longer extends it (`POST .../tasks/$TASK/lease`):

```bash
{loop}```

The codes of errors:


{codes}

## MCP

- Claude Code: `claude mcp add --transport http mission-control {base}/mcp --header "Authorization: Bearer $TOKEN"`
- Codex, in `~/.codex/config.toml`: `[mcp_servers.mission-control]` with `url = "{base}/mcp"` and \
`bearer_token_env_var = "MISSION_CONTROL_TOKEN"`

## OpenAPI

{slices}
- [Everything]({base}/openapi.json): the whole document, 3.1; `?tag=NAME` cuts out what one tag needs

## Pages

- [Write an agent]({base}/docs): the loop, MCP, authentication, errors, paging, streams, limits
{pages}
"""


def loop(base: str) -> str:
    """Return a worker's loop for a shell."""
    return LOOP.format(base=base)


def clients(base: str) -> str:
    """Return the commands that generate clients."""
    return CLIENTS.format(base=base)


def llms(base: str, tags: list[Tag]) -> str:
    """Return /llms.txt: a model's introduction with links to the rest."""
    slices = "\n".join(_link(f"{base}/openapi.json?tag={one.name}", one) for one in tags if one.name in ROLES)
    pages = "\n".join(_link(f"{base}/docs/{one.name}", one) for one in tags)
    return LLMS.format(base=base, loop=loop(base), slices=slices, pages=pages, codes=codes())


def codes() -> str:
    """Return the codes of errors that a worker meets, each with its sentence."""
    return "\n".join(f"- `{code}`: {code.sentence}" for code in FOR_WORKERS)


def _link(url: str, tag: Tag) -> str:
    return f"- [{tag.name}]({url}): {tag.description}"
