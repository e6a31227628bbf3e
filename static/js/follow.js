// [data-follow]: a page that grows below, such as a conversation, scrolls with it while its end is in sight.
// A [data-follow-to] that comes into it is shown from its beginning instead.
const NEAR = 160;
let wasAtEnd = true;
let target = null;

const page = () => document.querySelector("[data-follow]");
const isAtEnd = (node) => node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;

const follow = () => {
  const scroll = page()?.closest(".scroll");
  if (!scroll) return;
  const named = page().querySelector("[data-follow-to]");
  const isNew = named?.id !== target?.id;
  target = named;
  if (named && isNew) named.scrollIntoView();
  else if (!named) scroll.scrollTop = scroll.scrollHeight;
};

export const start = () => {
  follow();
  document.addEventListener("htmx:before:swap", () => { const scroll = page()?.closest(".scroll"); wasAtEnd = !scroll || isAtEnd(scroll); });
  document.addEventListener("htmx:after:swap", () => { if (wasAtEnd) follow(); });
};
