// body[data-organization]: other tabs of this browser say so when a page of another organization is opened.
const KEY = "organization";

export const start = () => {
  const here = document.body.dataset.organization;
  if (!here) return;
  try { localStorage.setItem(KEY, here); } catch { return; }
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    for (const notice of document.querySelectorAll("[data-elsewhere]")) notice.hidden = event.newValue === here;
  });
};
