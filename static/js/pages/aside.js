// A chat beside a page: Enter sends (not while an input method composes), and the end stays in view for a reader who is there.
const NEAR = 96;
const list = () => document.querySelector("[data-chat-end]");
const offer = () => document.querySelector("[data-chat-newest]");
let isAtEnd = true;
let height = 0; // before older messages came in above

const look = () => {
  const one = list();
  if (!one) return;
  isAtEnd = one.scrollHeight - one.scrollTop - one.clientHeight < NEAR;
  if (isAtEnd && offer()) offer().hidden = true;
};
const toEnd = () => { const one = list(); if (one) one.scrollTop = one.scrollHeight; look(); };

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-enter-sends]");
  if (!form || !event.target.matches("textarea") || event.key !== "Enter" || event.defaultPrevented) return;
  if (event.isComposing || event.keyCode === 229 || event.shiftKey || event.altKey || matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  if (event.target.value.trim()) { isAtEnd = true; form.requestSubmit(); }
});
document.addEventListener("scroll", (event) => { if (event.target === list()) look(); }, true);
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-chat-newest]")) toEnd(); });
document.addEventListener("htmx:before:swap", () => { const one = list(); height = one ? one.scrollHeight - one.scrollTop : 0; });
let shown = list();
document.addEventListener("htmx:after:swap", (event) => {
  const one = list();
  if (!one) return;
  if (one !== shown || isAtEnd) toEnd();
  else if (event.detail.ctx.sourceElement?.closest?.("#chat-older") || event.target.id === "chat-older") one.scrollTop = one.scrollHeight - height;
  else if (offer() && one.scrollHeight - one.scrollTop - one.clientHeight >= NEAR) offer().hidden = false;
  shown = one;
});
toEnd();
