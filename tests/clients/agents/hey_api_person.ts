// What a person does in a browser, by the client of @hey-api/openapi-ts. Zod checks every request and answer.

import assert from "node:assert/strict";
import * as api from "./hey/index.js";
import { createClient } from "./hey/client/index.js";

const baseUrl = process.env.BASE_URL!;
const client = createClient({ baseUrl, auth: (one) => (one.scheme === "bearer" ? process.env.PERSON_TOKEN : undefined) });
const by = { client, throwOnError: true } as const;
const path = { board_id: process.env.BOARD_ID! };
const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

// Quick add, the query of boards, changes of many tasks
const quick = async (text: string) => (await api.quickAddTask({ ...by, path, body: { text } })).data;
const first = await quick("Paint the mole !high due:fri");
const second = await quick("Look for #nothing");
assert.equal(first.priority, "high");
assert(first.due_at);
const found = await api.listTasksApiV1BoardsBoardIdTasksGet({ ...by, path, query: { query: "priority:high paint" } });
assert(found.data.items.some((one) => one.id === first.id));
const ids = [first.id, second.id];
const bulk = await api.updateTasks({ ...by, path, body: { changes: ids.map((id) => ({ task_id: id, status: "in_progress" as const })), atomic: false } });
assert.equal(bulk.data.changed + bulk.data.failed, 2);
const set = await api.updateTasks({ ...by, path, body: { changes: ids.map((id) => ({ task_id: id, priority: "low" as const, due_at: null })) } });
assert(set.data.results.every((result) => result.ok && result.task?.due_at === null));
const changed = await api.updateTasks({ ...by, path, body: { changes: [{ task_id: first.id, priority: "medium" }, { task_id: second.id, deleted: true }] } });
assert.equal(changed.data.changed, 2);

// Trash
const trash = await api.listTasksApiV1BoardsBoardIdTasksGet({ ...by, path, query: { deleted: true } });
assert.equal(trash.data.items[0]?.id, second.id);
const back = { ...path, task_id: second.id };
assert.equal((await api.restoreTask({ ...by, path: back })).data.id, second.id);
await api.deleteTaskApiV1BoardsBoardIdTasksTaskIdDelete({ ...by, path: back });
await api.eraseTask({ ...by, path: back });

// Tags and custom fields
const tag = async (name: string, slug: string) => (await api.createTagApiV1TagsPost({ ...by, body: { name, slug } })).data;
const stamp = path.board_id.slice(-6);
const [kept, merged] = [await tag(`Kept ${stamp}`, `kept-${stamp}`), await tag(`Merged ${stamp}`, `merged-${stamp}`)];
assert.equal((await api.mergeTag({ ...by, path: { tag_id: merged.id }, body: { into: kept.id } })).data.id, kept.id);
const field = await api.createOrgCustomFieldApiV1OrganizationsMeCustomFieldsPost({
  ...by,
  body: { field_key: `berth_${stamp}`, label: "Berth", field_type: "integer", board_ids: [path.board_id] },
});
const valued = await api.updateTaskApiV1BoardsBoardIdTasksTaskIdPatch({
  ...by,
  path: { ...path, task_id: first.id },
  body: { custom_field_values: { [field.data.field_key]: 7 }, tag_ids: [kept.id] },
});
assert.equal(valued.data.custom_field_values?.[field.data.field_key], 7);
const tried = await api.tryOrgCustomFieldPattern({ ...by, body: { pattern: "^[A-Z]+$", example: "ABC" } });
assert(tried.data);

// Saved views
const view = await api.createBoardView({ ...by, path, body: { name: "Urgent", kind: "table", query: "priority:high", columns: ["title"], is_shared: true } });
const at = { ...path, view_id: view.data.id };
assert.equal((await api.updateBoardView({ ...by, path: at, body: { sort: "-due" } })).data.sort, "-due");
assert((await api.listBoardViews({ ...by, path })).data.items.some((one) => one.id === view.data.id));
await api.deleteBoardView({ ...by, path: at });

// What waits: approvals with deadlines, answers, undo, snooze
const ask = async (title: string) =>
  (await api.createApprovalApiV1BoardsBoardIdApprovalsPost({ ...by, path, body: { action_type: "deploy", confidence: 90, lead_reasoning: title, payload: { reason: title } } })).data;
const [one, two] = [await ask("Ship it"), await ask("Ship the other")];
const due = await api.setApprovalDeadline({ ...by, path: { ...path, approval_id: one.id }, body: { decide_by: tomorrow, otherwise: "remind" } });
assert(due.data.decide_by);
await api.removeApprovalDeadline({ ...by, path: { ...path, approval_id: one.id } });
const need = (approval: { id: string }) => ({ need_id: `approval:${approval.id}` });
const needs = await api.listNeeds({ ...by, query: { limit: 200 } });
assert(needs.data.items.some((item) => item.id === need(one).need_id && item.answers.some((answer) => answer.id === "approve")));
assert((await api.snoozeNeed({ ...by, path: need(one), body: { until: tomorrow } })).data.is_snoozed);
assert(!(await api.unsnoozeNeed({ ...by, path: need(one) })).data.is_snoozed);
const both = [one, two].map((approval) => need(approval).need_id);
const off = await api.snoozeNeeds({ ...by, body: { ids: both, until: tomorrow, until_changed: true } });
assert(off.data.results.every((result) => result.outcome === "snoozed"));
assert.equal((await api.listNeeds({ ...by, query: { include: "snoozed" } })).data.items.filter((item) => both.includes(item.id)).length, 2);
await api.snoozeNeeds({ ...by, body: { ids: both, show: true } });
const agent = createClient({ baseUrl, headers: { "X-Agent-Token": process.env.AGENT_TOKEN! } });
const asked = await api.askQuestion({
  client: agent, throwOnError: true, path,
  body: { content: "North?", options: [{ label: "Yes" }], decide_by: tomorrow, otherwise: "option", otherwise_option_id: "1" },
});
const question = { ...path, question_id: asked.data.id };
const later = await api.setQuestionDeadline({ ...by, path: question, body: { decide_by: tomorrow, otherwise: "remind" } });
assert.equal(later.data.otherwise, "remind");
assert.equal((await api.removeQuestionDeadline({ ...by, path: question })).data.decide_by, null);
assert.equal((await api.getNeed({ ...by, path: need(two) })).data.kind, "approval");
assert.equal((await api.answerNeed({ ...by, path: need(one), body: { answer: "approve" } })).data.outcome, "answered");
assert.equal((await api.undoNeeds({ ...by, body: { ids: [need(one).need_id] } })).data.failed, 0);
const many = await api.answerNeeds({ ...by, body: { answers: [one, two].map((approval) => ({ id: need(approval).need_id, answer: "approve" })) } });
assert.equal(many.data.answered, 2);

// Notifications, long work, sessions, access, requests of gateways
await api.createTaskCommentApiV1BoardsBoardIdTasksTaskIdCommentsPost({ ...by, path: { ...path, task_id: first.id }, body: { message: "Done soon." } });
const told = await api.listNotifications({ ...by, query: { limit: 5 } });
assert.equal(typeof told.data.total, "number");
await api.markNotificationsRead({ ...by, body: { until: new Date().toISOString() } });
assert.equal(typeof (await api.listJobs({ ...by, query: { unread: true } })).data.total, "number");
await api.acknowledgeJobs(by);
assert(Array.isArray((await api.listMySessions(by)).data.items));
const members = await api.listOrgMembersApiV1OrganizationsMeMembersGet(by);
assert(members.data.items[0]);
const invite = await api.createOrgInviteApiV1OrganizationsMeInvitesPost({ ...by, body: { invited_email: `fay-${stamp}@example.org` } });
const mail = await api.resendInvitation({ client, path: { invite_id: invite.data.id } });
assert.equal(mail.response?.status, 409); // no mail server is set here
assert.equal(typeof (await api.listGatewayRequests(by)).data.total, "number");
console.log(first.id);
