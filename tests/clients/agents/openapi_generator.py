"""An agent's loop and a person's word, with the client that openapi-generator (python) generated."""

import os

import openapi_client
from openapi_client import (
    AgentApi,
    ApprovalsApi,
    ApprovalUpdate,
    ClaimCreate,
    CompletionCreate,
    TaskCommentCreate,
    TasksApi,
)

URL = os.environ["BASE_URL"]
agent = openapi_client.ApiClient(
    openapi_client.Configuration(host=URL, api_key={"AgentToken": os.environ["AGENT_TOKEN"]})
)
person = openapi_client.ApiClient(openapi_client.Configuration(host=URL, access_token=os.environ["PERSON_TOKEN"]))
work = AgentApi(agent)

assert work.agent_heartbeat_api_v1_agent_heartbeat_post().directive == "continue"
board = work.agent_healthz_api_v1_agent_healthz_get().board_id
assert board is not None
board_id = str(board)

claim = work.claim_task(board_id, claim_create=ClaimCreate(wait_seconds=5))
assert claim.task is not None and claim.lease is not None
task_id, fence = claim.task.id, claim.lease.fence
assert claim.lease.expires_at.tzinfo is not None

said = work.create_task_comment_api_v1_agent_boards_board_id_tasks_task_id_comments_post(
    board_id, task_id, TaskCommentCreate(message="Half of it is done."), x_task_fence=fence
)
assert said.message == "Half of it is done."

handed_in = work.complete_task(board_id, task_id, CompletionCreate(fence=fence, summary="Looked at it and did it."))
assert handed_in.task.status == "review"

approvals = ApprovalsApi(person)
[waiting] = approvals.list_approvals_api_v1_boards_board_id_approvals_get(board_id).items
decided = approvals.update_approval_api_v1_boards_board_id_approvals_approval_id_patch(
    board_id, str(waiting.id), ApprovalUpdate(status="approved")
)
assert decided.status == "approved"

assert TasksApi(person).get_task(board_id, task_id).status == "done"
print(task_id)
