// Entry: every module listens once on the document, and looks at new markup when htmx has processed it.
import * as board from "./board.js";
import * as cards from "./cards.js";
import * as caret_menu from "./caret_menu.js";
import * as copy from "./copy.js";
import * as device from "./device.js";
import * as dialog from "./dialog.js";
import * as draft from "./draft.js";
import * as dress from "./dress.js";
import * as elsewhere from "./elsewhere.js";
import * as ended from "./ended.js";
import * as follow from "./follow.js";
import * as forms from "./forms.js";
import * as guard from "./guard.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as loader from "./loader.js";
import * as looking from "./looking.js";
import * as mentions from "./mentions.js";
import * as moves from "./moves.js";
import * as nav from "./nav.js";
import * as palette from "./palette.js";
import * as panel from "./panel.js";
import * as queue from "./queue.js";
import * as refocus from "./refocus.js";
import * as reveal from "./reveal.js";
import * as seen from "./seen.js";
import * as shortcuts from "./shortcuts.js";
import * as theme from "./theme.js";
import * as time from "./time.js";
import * as toast from "./toast.js";
import * as typing from "./typing.js";

export const modules = [elsewhere, caret_menu, mentions, typing, theme, device, dialog, toast, ended, copy, reveal, refocus, queue, time, follow, forms, seen, guard, draft, dress, shortcuts, keys, nav, palette, panel, live, loader, looking, moves, board, cards];

const attach = (root) => {
  for (const module of modules) module.attach?.(root);
};

let started = false;

/** Modules of some pages, by their entry in js/pages/. */
export const install = (...more) => {
  modules.push(...more);
  if (!started) return;
  for (const module of more) module.start?.();
  for (const module of more) module.attach?.(document.body);
};

const start = () => {
  started = true;
  for (const module of modules) module.start?.();
  attach(document.body);
  document.addEventListener("htmx:after:process", (event) => attach(event.target));
};

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
