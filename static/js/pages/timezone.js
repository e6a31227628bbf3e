// input[data-timezone]: filled with the browser's time zone where nothing is written yet.
import { install } from "../app.js";

const attach = (root) => {
  for (const field of root.querySelectorAll("[data-timezone]")) {
    field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  }
};

install({ attach });
