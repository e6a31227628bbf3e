// The page without a server comes back by itself: a small picture of the server tells that it answers again.
const PAUSE = 5000;
const link = document.querySelector("[data-again]");
let asking = false;

const look = () => {
  if (asking || document.hidden) return;
  asking = true;
  const picture = new Image();
  picture.onload = () => location.reload();
  picture.onerror = () => { asking = false; };
  picture.src = `${link.dataset.again}?${Date.now()}`; // never one that the browser kept
};

addEventListener("online", look);
document.addEventListener("visibilitychange", look);
setInterval(look, PAUSE);
