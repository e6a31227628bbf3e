// Whether this browser notifies: a choice kept in it, and its permission.
const KEY = "notify";

export const chosen = () => { try { return localStorage.getItem(KEY) === "1"; } catch { return false; } };
export const allowed = () => globalThis.Notification?.permission ?? "missing";

export const choose = async (on) => {
  if (on && allowed() === "default") await Notification.requestPermission();
  try {
    if (on && allowed() === "granted") localStorage.setItem(KEY, "1");
    else localStorage.removeItem(KEY);
  } catch { /* not kept */ }
};
