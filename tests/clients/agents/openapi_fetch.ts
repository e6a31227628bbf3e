// An agent's loop and a person's word, with openapi-fetch over the types that openapi-typescript generated.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const baseUrl = process.env.BASE_URL!;
const agent = createClient<paths>({ baseUrl, headers: { "X-Agent-Token": process.env.AGENT_TOKEN! } });
const person = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env.PERSON_TOKEN!}` } });

function good<T>(answer: { data?: T; error?: unknown }): T {
  assert(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

const alive = good(await agent.POST("/api/v1/agent/heartbeat"));
assert.equal(alive.directive, "continue");
const { board_id } = good(await agent.GET("/api/v1/agent/healthz"));
assert(board_id);

const claim = good(
  await agent.POST("/api/v1/agent/boards/{board_id}/claims", {
    params: { path: { board_id } },
    body: { wait_seconds: 5, lease_seconds: 900 },
  }),
);
assert(claim.task && claim.lease);
const path = { board_id, task_id: claim.task.id };
const fence = claim.lease.fence;
assert(new Date(claim.lease.expires_at).getTime() > Date.now());

const said = good(
  await agent.POST("/api/v1/agent/boards/{board_id}/tasks/{task_id}/comments", {
    params: { path, header: { "X-Task-Fence": fence } },
    body: { message: "Half of it is done." },
  }),
);
assert.equal(said.message, "Half of it is done.");

const handedIn = good(
  await agent.POST("/api/v1/agent/boards/{board_id}/tasks/{task_id}/completions", {
    params: { path },
    body: { fence, summary: "Looked at it and did it." },
  }),
);
assert.equal(handedIn.task.status, "review");

const waiting = good(await person.GET("/api/v1/boards/{board_id}/approvals", { params: { path: { board_id } } }));
assert.equal(waiting.total, 1);
const decided = good(
  await person.PATCH("/api/v1/boards/{board_id}/approvals/{approval_id}", {
    params: { path: { board_id, approval_id: waiting.items[0]!.id } },
    body: { status: "approved" },
  }),
);
assert.equal(decided.status, "approved");

const done = good(await person.GET("/api/v1/boards/{board_id}/tasks/{task_id}", { params: { path } }));
assert.equal(done.status, "done");
console.log(path.task_id);
