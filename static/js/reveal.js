// [data-reveal="id"]: shows a password while it is pressed in, and hides it again before it is sent.
// Also opens the <details> that the address names.
const set = (button, shown) => {
  const input = document.getElementById(button.dataset.reveal);
  if (!input) return;
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  const use = button.querySelector("use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
};

const unfold = () => {
  const named = document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
};

export const start = () => {
  unfold();
  addEventListener("hashchange", unfold);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reveal]");
    if (button) set(button, button.getAttribute("aria-pressed") !== "true");
  });
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("[data-reveal]")) set(button, false);
  });
};
