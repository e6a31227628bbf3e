// A transcript: what was sent is shown at once, and the end stays in view while the reader is at the end.
const NEAR = 80; // pixels from the end that still count as the end
let isAtEnd = true;

const page = () => document.querySelector("[data-transcript]");
const box = () => page()?.closest(".scroll");
const distance = () => { const one = box(); return one ? one.scrollHeight - one.scrollTop - one.clientHeight : 0; };
const newest = () => document.querySelector("[data-newest]");

const toEnd = () => { const one = box(); if (one) one.scrollTop = one.scrollHeight; };

const offer = () => {
  const button = newest();
  if (button) button.hidden = isAtEnd;
};

const look = () => {
  isAtEnd = distance() < NEAR;
  if (isAtEnd) offer();
};

const hex = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// The transcript holds what was on its way: its own entry is no longer needed.
const settle = () => {
  for (const entry of document.querySelectorAll("#transcript-pending > [data-sent-as]")) {
    if (document.querySelector(`#transcript [data-sent-as="${entry.dataset.sentAs}"], #transcript-tail [data-sent-as="${entry.dataset.sentAs}"]`)) entry.remove();
  }
};

const changed = () => {
  if (!page()) return;
  settle();
  if (isAtEnd) toEnd();
  else if (distance() >= NEAR) offer();
};

const pending = (key, text) => {
  const entry = document.createElement("li");
  entry.className = "entry";
  Object.assign(entry.dataset, { kind: "user", pending: "", sentAs: key });
  const head = document.createElement("div");
  head.className = "entry-head";
  const name = document.createElement("strong");
  name.textContent = "Sending";
  head.append(name);
  const body = document.createElement("div");
  body.className = "entry-text";
  body.textContent = text;
  entry.append(head, body);
  return entry;
};

const keyOf = (form) => form.elements.idempotency_key;

// The same text again has the same key, so that the gateway takes it once; another text has another key.
const onSend = (event) => {
  const form = event.target.closest?.("form[data-message]");
  const text = form?.elements.content.value.trim();
  if (!text) return;
  if (form.dataset.failed !== undefined && form.dataset.failed !== text) keyOf(form).value = hex();
  const key = keyOf(form).value;
  form.dataset.sending = key;
  form.dataset.sendingText = text;
  document.querySelector(`#transcript-pending > [data-sent-as="${key}"]`)?.remove();
  document.getElementById("transcript-pending")?.append(pending(key, text));
  isAtEnd = true;
  toEnd();
};

const onAnswer = (event) => {
  const form = event.target.closest?.("form[data-message]");
  const key = form?.dataset.sending;
  if (!key) return;
  const entry = document.querySelector(`#transcript-pending > [data-sent-as="${key}"]`);
  delete form.dataset.sending;
  if (event.detail.ctx?.response?.status < 300) {
    if (entry) entry.querySelector("strong").textContent = "Sent";
    delete form.dataset.failed;
    keyOf(form).value = hex();
    settle();
  } else {
    entry?.remove();
    form.dataset.failed = form.dataset.sendingText;
  }
};

export const start = () => {
  document.addEventListener("submit", onSend, true);
  document.addEventListener("htmx:finally:request", onAnswer);
  document.addEventListener("scroll", (event) => { if (event.target === box()) look(); }, true);
  document.addEventListener("htmx:after:swap", changed);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-newest]")) return;
    isAtEnd = true;
    toEnd();
    offer();
  });
  if (page()) toEnd();
};
