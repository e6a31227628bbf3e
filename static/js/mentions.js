// @ in a textarea[data-mentions="<id of a datalist>"] offers its names.
import { close, open } from "./caret_menu.js";
const BEGUN = /(?:^|[\s(])@([\p{L}\p{N}][\p{L}\p{N} ._-]{0,40})?$/u;
let typed = ""; // the text after the @

const put = (field, name) => {
  const end = field.selectionStart;
  field.setRangeText(`@${name} `, end - typed.length - 1, end, "end");
};

const found = (names, text) => {
  const wanted = text.toLowerCase();
  const starts = (name) => name.startsWith(wanted) || name.split(" ").some((word) => word.startsWith(wanted));
  return [...names.options].filter((one) => starts(one.value.toLowerCase())).slice(0, 8).map((one) => [one.value, one.label]);
};

const onInput = (event) => {
  const target = event.target;
  const names = target.dataset?.mentions && document.getElementById(target.dataset.mentions);
  if (!names || target !== document.activeElement) return; // a draft that came back is no typing
  const begun = target.selectionStart === target.selectionEnd && BEGUN.exec(target.value.slice(0, target.selectionStart));
  typed = begun?.[1] ?? "";
  const list = begun ? found(names, typed) : [];
  if (list.length && !(list.length === 1 && list[0][0] === typed)) open(target, list, "Whom to mention", put, { above: true, eager: true });
  else close();
};

export const start = () => document.addEventListener("input", onInput);

export const attach = (root) => {
  for (const one of root.querySelectorAll("textarea[data-mentions]")) for (const [name, value] of [["aria-autocomplete", "list"], ["aria-haspopup", "listbox"]]) one.setAttribute(name, value);
};
