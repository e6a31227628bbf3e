// An agent's loop and a person's word, with the client of @hey-api/openapi-ts. Zod checks every request and answer.

import assert from "node:assert/strict";
import { createClient } from "./hey/client/index.js";
import {
  agentHealthzApiV1AgentHealthzGet,
  agentHeartbeatApiV1AgentHeartbeatPost,
  claimTask,
  completeTask,
  createTaskCommentApiV1AgentBoardsBoardIdTasksTaskIdCommentsPost,
  getTask,
  listApprovalsApiV1BoardsBoardIdApprovalsGet,
  updateApprovalApiV1BoardsBoardIdApprovalsApprovalIdPatch,
} from "./hey/index.js";

const baseUrl = process.env.BASE_URL!;
const agent = createClient({ baseUrl, auth: (one) => (one.type === "apiKey" ? process.env.AGENT_TOKEN : undefined) });
const person = createClient({ baseUrl, auth: (one) => (one.scheme === "bearer" ? process.env.PERSON_TOKEN : undefined) });
const byAgent = { client: agent, throwOnError: true } as const;
const byPerson = { client: person, throwOnError: true } as const;

const alive = await agentHeartbeatApiV1AgentHeartbeatPost(byAgent);
assert.equal(alive.data.directive, "continue");
const { board_id } = (await agentHealthzApiV1AgentHealthzGet(byAgent)).data;
assert(board_id);

const claim = await claimTask({ ...byAgent, path: { board_id }, body: { wait_seconds: 5 } });
assert(claim.data.task && claim.data.lease);
const path = { board_id, task_id: claim.data.task.id };
const fence = claim.data.lease.fence;

const said = await createTaskCommentApiV1AgentBoardsBoardIdTasksTaskIdCommentsPost({
  ...byAgent,
  path,
  headers: { "X-Task-Fence": fence },
  body: { message: "Half of it is done." },
});
assert.equal(said.data.message, "Half of it is done.");

const handedIn = await completeTask({ ...byAgent, path, body: { fence, summary: "Looked at it and did it." } });
assert.equal(handedIn.data.task.status, "review");

const waiting = await listApprovalsApiV1BoardsBoardIdApprovalsGet({ ...byPerson, path: { board_id } });
assert.equal(waiting.data.total, 1);
const decided = await updateApprovalApiV1BoardsBoardIdApprovalsApprovalIdPatch({
  ...byPerson,
  path: { board_id, approval_id: waiting.data.items[0]!.id },
  body: { status: "approved" },
});
assert.equal(decided.data.status, "approved");

const done = await getTask({ ...byPerson, path });
assert.equal(done.data.status, "done");
console.log(path.task_id);
