// Says that somebody does something on this page, which has the focus: meanwhile nothing is sent to their devices.
const PAUSE = 50_000;
const ACTS = ["pointerdown", "keydown", "wheel", "touchmove"];
let until = 0;

const say = async () => {
  if (Date.now() < until || document.hidden || !document.hasFocus()) return;
  until = Date.now() + PAUSE;
  const body = JSON.stringify({ sees_needs: Boolean(document.querySelector(".home #queue")) });
  const headers = { "Content-Type": "application/json" };
  try {
    const answer = await fetch("/api/v1/users/me/reach/looking", { method: "PUT", headers, body });
    if (!answer.ok || !(await answer.json()).is_reached) until = Date.now() + 10 * PAUSE;
  } catch {
    // Without a server nothing is sent either.
  }
};

export const start = () => {
  if (!document.querySelector("[hx-sse\\:connect]")) return;
  for (const name of ACTS) addEventListener(name, say, { passive: true });
};
