// input[data-suggest="<id of a datalist>"] offers what the word at the caret may become. data-suggest-as="quick": the
// same names as @name, #tag and !priority.
import { close, open } from "../caret_menu.js";
const QUICK = { "assignee:": "@", "tag:": "#", "priority:": "!", "due:": "due:" };
let begun = ""; // the word at the caret

const put = (field, value) => {
  const end = field.selectionStart;
  field.setRangeText(value.endsWith(":") ? value : `${value} `, end - begun.length, end, "end");
  field.dispatchEvent(new CustomEvent("suggest:taken", { bubbles: true, detail: value }));
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

const wordAt = (target) => /(?:^|\s)(\S*)$/.exec(target.value.slice(0, target.selectionStart))?.[1] ?? "";

const onInput = (event) => {
  const target = event.target;
  if (!target.dataset?.suggest) return;
  begun = wordAt(target);
  const sign = target.dataset.suggestAs === "quick" ? /^(@|#|!|due:)/ : /^-?\S/;
  const found = target === document.activeElement && sign.test(begun) ? matching(target, begun) : [];
  if (found.length && !(found.length === 1 && found[0][0] === begun)) open(target, found, "Suggestions", put);
  else close();
};

export const start = () => document.addEventListener("input", onInput);

export const attach = (root) => {
  for (const one of root.querySelectorAll("input[data-suggest]")) for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) one.setAttribute(name, value);
};
