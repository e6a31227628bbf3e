// [data-theme-choice="system|light|dark"]: kept in this browser.
const root = document.documentElement;
const KEY = "theme";

const read = () => {
  try { return localStorage.getItem(KEY) ?? "system"; } catch { return "system"; }
};

const show = () => {
  const theme = read();
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
};

export const start = () => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try { localStorage.setItem(KEY, button.dataset.themeChoice); } catch { /* this page only */ }
    show();
  });
  addEventListener("storage", (event) => { if (event.key === KEY) show(); });
};

export const attach = (scope) => { if (scope.querySelector("[data-theme-choice]")) show(); };
