// input[data-suggest="<id of a datalist>"] offers what the word at the caret may become. Arrows choose, Enter and Tab
// take one, Escape closes. data-suggest-as="quick": the same names as @name, #tag and !priority.
const QUICK = { "assignee:": "@", "tag:": "#", "priority:": "!", "due:": "due:" };
let menu = null;
let field = null;
let begun = ""; // the word at the caret

const options = () => [...menu.children];
const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");

const close = () => {
  if (!menu) return;
  field.removeAttribute("aria-activedescendant");
  field.removeAttribute("aria-controls");
  menu.remove();
  menu = field = null;
};

const select = (option) => {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};

const take = (option) => {
  const target = field;
  const end = target.selectionStart;
  const { value } = option.dataset;
  target.setRangeText(value.endsWith(":") ? value : `${value} `, end - begun.length, end, "end");
  close();
  target.dispatchEvent(new CustomEvent("suggest:taken", { bubbles: true, detail: value }));
  target.dispatchEvent(new Event("input", { bubbles: true }));
};

/** What a field offers: [[what is typed, what it is]]. */
export const offered = (target) => {
  const all = [...document.getElementById(target.dataset.suggest)?.options ?? []].map((one) => [one.value, one.label]);
  if (target.dataset.suggestAs !== "quick") return all;
  return all.flatMap(([value, label]) => {
    const key = Object.keys(QUICK).find((one) => value.startsWith(one));
    const rest = key && value.slice(key.length);
    return key && !/^(none|agent|person|overdue|week|[<>].*)$/.test(rest) ? [[QUICK[key] + rest, label]] : [];
  });
};

const matching = (target, word) => {
  const typed = word.toLowerCase().replaceAll('"', "");
  const plain = (value) => value.toLowerCase().replaceAll('"', "");
  const fits = ([value]) => plain(value).startsWith(typed) || plain(value).split(/[:@#! ]/).some((part) => part && typed.length > 1 && part.startsWith(typed));
  return offered(target).filter(fits).slice(0, 9);
};

const item = ([value, label], at) => {
  const option = Object.assign(document.createElement("div"), { className: "menu-item", id: `suggestion-${at}` });
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.value = value;
  option.append(Object.assign(document.createElement("span"), { textContent: value }), Object.assign(document.createElement("span"), { className: "faint xsmall", textContent: label === value ? "" : label }));
  return option;
};

const open = (target, found) => {
  close();
  field = target;
  menu = Object.assign(document.createElement("div"), { className: "mention-menu", id: "suggestions", popover: "manual" });
  menu.setAttribute("role", "listbox");
  menu.setAttribute("aria-label", "Suggestions");
  menu.append(...found.map(item));
  (target.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  const box = target.getBoundingClientRect();
  const below = box.bottom + 4;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${below + menu.offsetHeight < innerHeight ? below : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
  field.setAttribute("aria-controls", menu.id);
};

const wordAt = (target) => /(?:^|\s)(\S*)$/.exec(target.value.slice(0, target.selectionStart))?.[1] ?? "";

const onInput = (event) => {
  const target = event.target;
  if (!target.dataset?.suggest) return;
  begun = wordAt(target);
  const sign = target.dataset.suggestAs === "quick" ? /^(@|#|!|due:)/ : /^-?\S/;
  const found = target === document.activeElement && sign.test(begun) ? matching(target, begun) : [];
  if (found.length && !(found.length === 1 && found[0][0] === begun)) open(target, found);
  else close();
};

const onKey = (event) => {
  if (!menu || event.target !== field || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = options();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) select(chosen() ? all[all.indexOf(chosen()) + step] : all.at(step > 0 ? 0 : -1));
  else if (event.key === "Escape") close();
  else if (event.key === "Tab" && !event.shiftKey && chosen()) take(chosen());
  else if (event.key === "Enter" && chosen()) take(chosen());
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
};

export const start = () => {
  document.addEventListener("input", onInput);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  document.addEventListener("submit", () => close());
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#suggestions [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
};

export const attach = (root) => {
  for (const one of root.querySelectorAll("input[data-suggest]")) for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) one.setAttribute(name, value);
};
