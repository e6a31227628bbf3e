// The query field: what is understood becomes a token in front of the text. Backspace at its beginning takes the last
// one back into the text. Without this module the whole query is text.
const field = () => document.getElementById("query");
const tokens = () => document.getElementById("query-tokens");

const keys = () => new Set([...document.getElementById("query-options").options].map((one) => /^[^:]+:/.exec(one.value)?.[0].toLowerCase()));
const PAIR = /^-?([\p{L}\p{N}_][\p{L}\p{N}_.-]*:)((?:"[^"]*"|[^\s"])+)$/u;

const asks = () => document.getElementById("filters").dispatchEvent(new Event("input", { bubbles: true }));

const add = (raw) => {
  const [, key, value] = PAIR.exec(raw);
  const token = Object.assign(document.createElement("span"), { className: "token" });
  const words = Object.assign(document.createElement("span"), { className: "truncate" });
  const label = Object.assign(document.createElement("b"), { textContent: `${raw.startsWith("-") ? "-" : ""}${key}` });
  words.append(label, value.replaceAll('"', ""));
  const input = Object.assign(document.createElement("input"), { type: "hidden", name: "q", value: raw });
  const drop = document.createElement("button");
  Object.assign(drop, { type: "button", title: "Remove" });
  drop.dataset.tokenDrop = "";
  drop.setAttribute("aria-label", `Remove ${raw}`);
  drop.append(document.querySelector("#query-cross").content.cloneNode(true));
  token.append(input, words, drop);
  tokens().append(token);
};

// Words that are finished and understood leave the text.
const settle = (all) => {
  const known = keys();
  const words = field().value.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
  const last = all || /\s$/.test(field().value) ? words.length : words.length - 1;
  const isToken = (word, at) => at < last && known.has(PAIR.exec(word)?.[1].toLowerCase());
  const found = words.filter(isToken);
  if (!found.length) return;
  found.forEach(add);
  const rest = words.filter((word, at) => !isToken(word, at)).join(" ");
  field().value = rest && /\s$/.test(field().value) ? `${rest} ` : rest;
};

const drop = (token) => {
  token.remove();
  field().focus();
  asks();
};

export const start = () => {
  document.addEventListener("input", (event) => { if (event.target === field() && !event.isComposing) settle(false); });
  document.addEventListener("submit", (event) => { if (event.target.id === "filters") settle(true); }, true);
  document.addEventListener("focusout", (event) => { if (event.target.id === "query" && event.target.isConnected) settle(true); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-token-drop]");
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    drop(button.closest(".token"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "query" || event.key !== "Backspace" || event.target.selectionEnd > 0) return;
    const token = tokens().lastElementChild;
    if (!token) return;
    event.preventDefault();
    const raw = token.querySelector("input").value;
    token.remove();
    field().setRangeText(raw, 0, 0, "end");
    asks();
  });
};
