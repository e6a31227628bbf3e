// Mission Control: tells the board what happens in the sessions of opencode, and brings notes and answers back.
// `connect opencode` writes this file, `disconnect opencode` removes it. It throws only where the board stops a call.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const PLACES = {}; // the file of the connection, the spool, the command that sends what is in it
const LARGEST_SPOOL = 1024 * 1024, LARGEST_BODY = 256 * 1024, HEAD = 4096, LONGEST_TEXT = 16_000;
const [PATIENCE, FOR_ANSWER, FOR_PEOPLE, AT_KEYBOARD, LONGEST_PAUSE] = [1_000, 3_000, 90_000, 300, 60_000]; // ms
const AGAIN = 60; // seconds after which somebody else sends what was kept, if who did that has ended

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const cut = (text) => (typeof text === "string" ? text.slice(0, LONGEST_TEXT) : undefined);
const quietly = (act) => { try { return act(); } catch { return undefined; } };
const safely = (act) => async (...given) => { try { return await act(...given); } catch { return undefined; } };

const connection = () => quietly(() => {
  if (process.platform !== "win32" && statSync(PLACES.connection).mode & 0o077) return undefined;
  const lines = readFileSync(PLACES.connection, "utf8").split("\n").map((line) => line.trim().split(/=(.*)/s));
  const { MISSION_CONTROL_URL: url, MISSION_CONTROL_TOKEN: token } = Object.fromEntries(lines);
  return url && token ? { url, token } : undefined;
});

// Returns null when the server is away, or another one answers.
const send = async (raw, milliseconds, signal) => {
  const known = connection();
  if (!known) return {};
  const check = process.env.MISSION_CONTROL_CHECK;
  try {
    const answer = await fetch(`${known.url}/api/v1/connect/opencode/hooks${check ? `?check=${check}` : ""}`, {
      method: "POST", redirect: "manual", body: raw,
      headers: { "Content-Type": "application/json", "X-Agent-Token": known.token },
      signal: AbortSignal.any([AbortSignal.timeout(milliseconds), ...(signal ? [signal] : [])]),
    });
    const isOther = answer.status < 200 || (answer.status >= 300 && answer.status < 400);
    if (isOther || answer.status >= 500 || [408, 429].includes(answer.status)) return null;
    const value = await answer.json();
    return answer.ok ? value : {};
  } catch {
    return null;
  }
};

const isThere = async (url) => {
  try {
    return (await fetch(`${url}/healthz`, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE) })).ok;
  } catch {
    return false;
  }
};

// What cannot be sent waits in a file, which the program for terminals sends and understands.
const sizeOf = (path) => quietly(() => statSync(path).size) ?? 0;
const awayUntil = () => quietly(() => Number(readFileSync(`${PLACES.spool}.away`, "utf8").split(" ")[1]));
const flush = () => quietly(() => {
  spawn(PLACES.flush[0], PLACES.flush.slice(1), { detached: true, stdio: "ignore" }).on("error", () => {}).unref();
});
const keep = ({ at, raw, session }) => quietly(() => {
  mkdirSync(dirname(PLACES.spool), { recursive: true, mode: 0o700 });
  const line = `${at} ${raw}\n`;
  const isFull = sizeOf(PLACES.spool) + sizeOf(`${PLACES.spool}.sending`) + Buffer.byteLength(line) > LARGEST_SPOOL;
  appendFileSync(isFull ? `${PLACES.spool}.lost` : PLACES.spool, isFull ? `${session}\n` : line, { mode: 0o600 });
  const until = awayUntil();
  if (until > at && until <= at + 2 * AGAIN) return;
  const since = until ? readFileSync(`${PLACES.spool}.away`, "utf8").split(" ")[0] : at;
  writeFileSync(`${PLACES.spool}.away`, `${since} ${at + AGAIN}\n`, { mode: 0o600 });
  flush();
});

// Events are sent one after the other. While answers come quickly, calls wait for theirs.
const queue = [];
let isQuick = true;
const drain = async () => {
  while (queue.length) {
    const answer = awayUntil() ? null : await send(queue[0].raw, FOR_ANSWER);
    const one = queue.shift();
    isQuick = Date.now() - one.since < PATIENCE;
    if (answer === null) keep(one);
    else if (sizeOf(PLACES.spool)) flush();
    one.done(answer ?? {});
  }
};
const written = (body) => {
  const raw = JSON.stringify(body);
  return raw.length <= LARGEST_BODY ? raw : raw.slice(0, HEAD);
};
const post = (body) => new Promise((done) => {
  const [since, raw, session] = [Date.now(), written(body), body.session_id];
  if (queue.push({ at: Math.floor(since / 1000), since, raw, session, done }) === 1) drain();
});
process.on("exit", () => queue.forEach(keep));

export const MissionControl = async ({ client, directory }) => {
  // What `work` started is told by `work`.
  if (process.env.MISSION_CONTROL_RUN || !connection()) return {};
  if (sizeOf(PLACES.spool)) flush();
  const [sessions, helpers, counted] = [new Set(), new Set(), new Set()];
  const [turns, said, calls, asking, late] = [new Map(), new Map(), new Map(), new Map(), new Map()];

  const tell = (name, session, more) => {
    if (!session) return Promise.resolve({});
    sessions.add(session);
    return post({ hook_event_name: name, session_id: session, cwd: directory, ...more });
  };
  const end = (session, reason) => {
    const told = sessions.has(session) ? tell("session.ended", session, { reason }) : Promise.resolve({});
    sessions.delete(session);
    return told;
  };
  // What the board answers now, and what it answered too late for the call before.
  const heard = async (session, answering) => {
    const note = late.get(session);
    late.delete(session);
    const answer = await Promise.race([answering, sleep(isQuick ? PATIENCE : 0)]);
    if (!answer) {
      isQuick = false;
      answering.then((one) => one.note && late.set(session, one.note));
    }
    return { deny: answer?.deny, note: [note, answer?.note].filter(Boolean).join("\n\n") };
  };
  const callOf = (session, id) => `${session} ${id}`;

  const asked = ({ id, sessionID, permission, patterns, metadata, tool }) => {
    const call = calls.get(callOf(sessionID, tool?.callID));
    const about = permission === (call?.tool ?? permission) ? {} : { permission, patterns };
    const given = typeof metadata?.diff === "string"
      ? { filePath: metadata.filepath, diff: metadata.diff.replace(/^Index: .*\n=+\n/, "") }
      : { ...(call?.args ?? { ...metadata, patterns }), ...about };
    const more = { permission_id: id, tool_name: call?.tool ?? permission, tool_input: given };
    return { hook_event_name: "permission.asked", session_id: sessionID, cwd: directory, ...more };
  };
  const reply = async (id, session, { reply, message }) => {
    const headers = { "Content-Type": "application/json" };
    const inner = client._client;
    if (inner?.post) {
      await inner.post({ url: "/permission/{id}/reply", path: { id }, body: { reply, message }, headers });
    } else {
      const path = { id: session, permissionID: id };
      await client.postSessionIdPermissionsPermissionId({ path, body: { response: reply } });
    }
  };
  // Asks people while the question is on the screen, as long as it is. Many are answered there at once by settings.
  const ask = async (question) => {
    await sleep(AT_KEYBOARD);
    const waiting = asking.get(question.id);
    if (!waiting) return;
    waiting.isTold = true;
    for (let pause = 1_000; asking.has(question.id); await sleep(pause)) {
      const began = Date.now();
      const answer = awayUntil() ? null : await send(written(asked(question)), FOR_PEOPLE, waiting.signal);
      if (answer?.reply && asking.has(question.id)) return await reply(question.id, question.sessionID, answer);
      pause = Date.now() - began > 10_000 ? 1_000 : Math.min(2 * pause, LONGEST_PAUSE);
    }
  };

  const events = {
    "session.created": ({ info }) => {
      if (info.parentID) helpers.add(info.id);
      tell("session.created", info.id, { parent: info.parentID, client_version: info.version });
    },
    "session.idle": ({ sessionID }) => {
      const more = { prompt_id: turns.get(sessionID), last_assistant_message: said.get(sessionID) };
      if (turns.delete(sessionID)) tell("session.idle", sessionID, more);
      said.delete(sessionID);
      if (helpers.has(sessionID)) end(sessionID, "helper");
    },
    "session.error": ({ sessionID, error }, event_id) => {
      turns.delete(sessionID);
      tell("session.error", sessionID, { event_id, error: error?.name });
    },
    "session.deleted": ({ info }) => end(info.id, "deleted"),
    "message.updated": ({ info: { id, role, time, sessionID, modelID, cost, tokens } }) => {
      if (role !== "assistant" || !time?.completed || counted.has(id)) return;
      counted.add(id);
      tell("message.updated", sessionID, { message_id: id, model: modelID, cost, tokens });
    },
    "message.part.updated": ({ part }) => {
      if (part.type === "text" && part.time?.end) said.set(part.sessionID, cut(part.text));
      if (part.type !== "tool" || part.state.status !== "error") return;
      const { input, error, time } = part.state;
      const call = callOf(part.sessionID, part.callID);
      tell("message.part.updated", part.sessionID, {
        tool_name: part.tool, tool_use_id: part.callID, tool_input: input, error: cut(error),
        duration_ms: time?.end - time?.start, is_refused: calls.get(call)?.isRefused,
      });
      calls.delete(call);
    },
    "permission.asked": (question) => {
      const waiting = new AbortController();
      asking.set(question.id, { abort: () => waiting.abort(), signal: waiting.signal, question });
      ask(question).catch(() => {});
    },
    "permission.replied": ({ sessionID, requestID, reply }) => {
      const waiting = asking.get(requestID);
      asking.delete(requestID);
      waiting?.abort();
      const call = calls.get(callOf(sessionID, waiting?.question.tool?.callID));
      if (call && reply === "reject") call.isRefused = true;
      if (waiting?.isTold) tell("permission.replied", sessionID, { permission_id: requestID, reply });
    },
    "todo.updated": ({ sessionID, todos }, event_id) => tell("todo.updated", sessionID, { event_id, todos }),
  };
  for (const name of ["question.asked", "question.replied", "session.compacted"])
    events[name] = ({ sessionID }, event_id) => tell(name, sessionID, { event_id });

  const begun = safely(async ({ tool, sessionID, callID }, { args }) => {
    calls.set(callOf(sessionID, callID), { tool, args, began: Date.now() });
    const more = { tool_name: tool, tool_use_id: callID, tool_input: args };
    const { deny, note } = await heard(sessionID, tell("tool.execute.before", sessionID, more));
    if (note) late.set(sessionID, note);
    return deny;
  });

  return {
    config: safely(async (config) => {
      const known = connection();
      const headers = { Authorization: `Bearer ${known?.token}` };
      const board = { type: "remote", url: `${known?.url}/mcp`, headers, oauth: false };
      // Of a server that is silent opencode waits a minute for the tools before its first turn.
      if (known && await isThere(known.url)) config.mcp = { "mission-control": board, ...config.mcp };
    }),
    event: async ({ event }) => quietly(() => events[event.type]?.(event.properties, event.id)),
    "chat.message": safely(async ({ sessionID }, { message, parts }) => {
      const texts = parts.filter((one) => one.type === "text" && !one.synthetic);
      turns.set(sessionID, message.id);
      const more = { prompt_id: message.id, model: message.model?.modelID, permission_mode: message.agent };
      const prompt = cut(texts.map((one) => one.text).join("\n"));
      const { note } = await heard(sessionID, tell("chat.message", sessionID, { ...more, prompt }));
      if (note && texts.length) parts.push({ ...texts[0], id: `${texts[0].id}n`, text: note, synthetic: true });
    }),
    "chat.params": async ({ sessionID, agent }) => {
      if ((agent?.name ?? agent) === "title") tell("session.titled", sessionID, {});
    },
    "tool.execute.before": async (input, output) => {
      const words = await begun(input, output);
      if (words) throw new Error(words);
    },
    "tool.execute.after": safely(async ({ tool, sessionID, callID, args }, output) => {
      const call = callOf(sessionID, callID);
      const more = {
        tool_name: tool, tool_use_id: callID, tool_input: args, tool_response: cut(output.output),
        exit_code: output.metadata?.exit, duration_ms: Date.now() - calls.get(call)?.began,
      };
      calls.delete(call);
      const { note } = await heard(sessionID, tell("tool.execute.after", sessionID, more));
      if (note && typeof output.output === "string") output.output += `\n\n${note}`;
      else if (note && Array.isArray(output.content)) output.content.push({ type: "text", text: note });
      else if (note) late.set(sessionID, note);
    }),
    dispose: safely(async () => {
      await Promise.race([Promise.all([...sessions].map((one) => end(one))), sleep(FOR_ANSWER)]);
    }),
  };
};
