"""The guide for authors of agents: lines to paste, and /llms.txt for language models."""

from functools import lru_cache

from mission_control.core.errors import ErrorCode
from mission_control.core.paths import data_dir

FOR_WORKERS = (
    ErrorCode.LEASE_LOST, ErrorCode.TASK_DELETED, ErrorCode.RUN_ENDED, ErrorCode.TASK_ALREADY_CLAIMED,
    ErrorCode.TASK_NOT_CLAIMABLE, ErrorCode.TASK_APPROVAL_REQUIRED, ErrorCode.TASK_REVIEW_REQUIRED,
    ErrorCode.TASK_DONE_NEEDS,
    ErrorCode.TASK_HAS_PENDING_APPROVAL, ErrorCode.TASK_BLOCKED, ErrorCode.WIP_LIMIT_REACHED,
    ErrorCode.CLAIMS_DISABLED, ErrorCode.AGENT_PAUSED, ErrorCode.BOARD_PAUSED, ErrorCode.ORGANIZATION_PAUSED,
    ErrorCode.BUDGET_EXHAUSTED, ErrorCode.TOKEN_SCOPE_MISSING, ErrorCode.RATE_LIMITED,
)  # fmt: skip

# A worker's loop for a shell; a change that happens once, and only to the task that was read; clients to generate.
LOOP = """\
TOKEN=mca_...
URL={base}/api/v1/agent
call() {{ curl -sS -X "$1" "$URL$2" -H "X-Agent-Token: $TOKEN" -H 'Content-Type: application/json' ${{3:+-d "$3"}}; }}
BOARD=$(call GET /healthz | jq -r .board_id)

KNOWN=continue
while [ "$KNOWN" != stop ]; do
  NEXT=$(call POST /next '{{"wait_seconds": 600, "keep_alive": true, "known": "'$KNOWN'"}}')
  KNOWN=$(jq -r '.directive // "continue"' <<<"$NEXT")
  TASK=$(jq -r '.task.id // empty' <<<"$NEXT") FENCE=$(jq .lease.fence <<<"$NEXT")
  [ -n "$TASK" ] || {{ jq -e .kind <<<"$NEXT" || sleep 5; continue; }}
  jq -r '"Task \\(.task.number): \\(.task.title)"' <<<"$NEXT"
  call POST "/boards/$BOARD/tasks/$TASK/comments" '{{"message": "I am on it."}}' | jq -r .message
  : your work goes here
  call POST "/boards/$BOARD/tasks/$TASK/completions" '{{"fence": '$FENCE', "summary": "I looked at it and did it."}}' |
    jq -r '.task.status // .detail.message'
done
"""

CHANGE = """\
TASK="{base}/api/v1/boards/$BOARD/tasks/$ID"
ETAG=$(curl -sSD - -o task.json "$TASK" -H "Authorization: Bearer $TOKEN" | sed -n 's/^etag: //Ip' | tr -d '\\r')
curl -sS -X PATCH "$TASK" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -H "If-Match: $ETAG" -H "Idempotency-Key: $(date +%s%N)" -d '{{"priority": "high"}}'
"""

CLIENTS = """\
npx openapi-typescript {base}/openapi.json -o schema.ts   # with openapi-fetch
npx @hey-api/openapi-ts -i {base}/openapi.json -o client -p @hey-api/client-fetch -p @hey-api/sdk -p zod
openapi-python-client generate --url {base}/openapi.json
openapi-generator-cli generate -g python -i {base}/openapi.json -o client
"""


@lru_cache(8)
def llms(base: str) -> str:
    text = data_dir("templates").joinpath("api_docs", "llms.txt").read_text(encoding="utf-8")
    codes = "\n".join(f"- `{code}`: {code.sentence}" for code in FOR_WORKERS)
    return text.replace("{{ base }}", base).replace("{{ codes }}", codes)
