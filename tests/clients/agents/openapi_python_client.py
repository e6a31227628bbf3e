"""An agent's loop and a person's word, with the client that openapi-python-client generated."""

import os
from uuid import UUID

from httpx import Timeout
from mission_control_api_client import AuthenticatedClient
from mission_control_api_client.api.agent import (
    agent_healthz_api_v1_agent_healthz_get,
    agent_heartbeat_api_v1_agent_heartbeat_post,
    claim_task,
    complete_task,
    create_task_comment_api_v1_agent_boards_board_id_tasks_task_id_comments_post,
)
from mission_control_api_client.api.approvals import (
    list_approvals_api_v1_boards_board_id_approvals_get,
    update_approval_api_v1_boards_board_id_approvals_approval_id_patch,
)
from mission_control_api_client.api.tasks import get_task
from mission_control_api_client.models import (
    AgentCheckedIn,
    AgentCheckedInDirective,
    AgentHealthStatusResponse,
    ApprovalRead,
    ApprovalUpdate,
    ApprovalUpdateStatusType0,
    ClaimCreate,
    ClaimRead,
    CompletionCreate,
    CompletionRead,
    PageApprovalRead,
    TaskCommentCreate,
    TaskCommentRead,
    TaskRead,
    TaskReadStatus,
)

URL, LONG = os.environ["BASE_URL"], Timeout(60)
agent = AuthenticatedClient(
    base_url=URL, token=os.environ["AGENT_TOKEN"], prefix="", auth_header_name="X-Agent-Token", timeout=LONG
)
person = AuthenticatedClient(base_url=URL, token=os.environ["PERSON_TOKEN"], timeout=LONG)

alive = agent_heartbeat_api_v1_agent_heartbeat_post.sync(client=agent)
assert isinstance(alive, AgentCheckedIn) and alive.directive is AgentCheckedInDirective.CONTINUE, alive
myself = agent_healthz_api_v1_agent_healthz_get.sync(client=agent)
assert isinstance(myself, AgentHealthStatusResponse) and isinstance(myself.board_id, UUID), myself
board_id = str(myself.board_id)

claim = claim_task.sync(board_id, client=agent, body=ClaimCreate(wait_seconds=5))
assert isinstance(claim, ClaimRead) and claim.task is not None and claim.lease is not None, claim
task_id, fence = claim.task.id, claim.lease.fence
assert claim.lease.expires_at.tzinfo is not None

said = create_task_comment_api_v1_agent_boards_board_id_tasks_task_id_comments_post.sync(
    board_id, task_id, client=agent, body=TaskCommentCreate(message="Half of it is done."), x_task_fence=fence
)
assert isinstance(said, TaskCommentRead) and said.message == "Half of it is done.", said

handed_in = complete_task.sync(
    board_id, task_id, client=agent, body=CompletionCreate(fence=fence, summary="Looked at it and did it.")
)
assert isinstance(handed_in, CompletionRead) and handed_in.task.status is TaskReadStatus.REVIEW, handed_in

waiting = list_approvals_api_v1_boards_board_id_approvals_get.sync(board_id, client=person)
assert isinstance(waiting, PageApprovalRead) and waiting.total == 1, waiting
decided = update_approval_api_v1_boards_board_id_approvals_approval_id_patch.sync(
    board_id, str(waiting.items[0].id), client=person, body=ApprovalUpdate(status=ApprovalUpdateStatusType0.APPROVED)
)
assert isinstance(decided, ApprovalRead) and decided.status == "approved", decided

done = get_task.sync(board_id, task_id, client=person)
assert isinstance(done, TaskRead) and done.status is TaskReadStatus.DONE, done
print(task_id)
