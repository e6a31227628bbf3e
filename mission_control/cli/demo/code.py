"""What the demo's board of code has: hand-ins with their commits, checks of a forge, and commands that need a yes."""

import asyncio
import hmac
import json
import random
from datetime import UTC, datetime
from hashlib import sha1
from typing import TYPE_CHECKING

from mission_control.core.values import JsonObject

if TYPE_CHECKING:
    from mission_control.cli.demo.agents import Api

REPOSITORY = "https://git.example.com/lighthouse/shop"
FOLDER = "/home/mara/shop"
DONE_NEEDS = ["result"]
LOOK_SECONDS = 30.0
RED_EVERY = 3  # this part of the hand-ins is red at first
# By the tags of tasks; the last is for all others.
DIFFS = {
    "perf": """\
diff --git a/server/cache.js b/server/cache.js
--- a/server/cache.js
+++ b/server/cache.js
@@ -1,5 +1,9 @@
 const pages = new Map();
+const DAY = 24 * 60 * 60;
 export function cached(path, render) {
-  if (!pages.has(path)) pages.set(path, render());
-  return pages.get(path);
+  const page = pages.get(path);
+  if (page && page.until > now()) return page.html;
+  const html = render();
+  pages.set(path, { html, until: now() + DAY });
+  return html;
 }
diff --git a/test/cache.test.js b/test/cache.test.js
--- a/test/cache.test.js
+++ b/test/cache.test.js
@@ -8,2 +8,9 @@
   assert.equal(renders, 1);
 });
+
+test("a page is rendered again after a day", () => {
+  cached("/", render);
+  clock.tick(DAY + 1);
+  cached("/", render);
+  assert.equal(renders, 2);
+});
""",
    "text": """\
diff --git a/texts/checkout.json b/texts/checkout.json
--- a/texts/checkout.json
+++ b/texts/checkout.json
@@ -3,7 +3,7 @@
   "address": "Where should we send it?",
-  "address.missing": "Invalid input! Field must not be empty!",
+  "address.missing": "Please enter a street and a number.",
   "payment": "How do you want to pay?",
-  "payment.failed": "Error 402: transaction declined.",
+  "payment.failed": "Your bank declined the payment. Nothing was charged.",
-  "shipping": "Shipping costs may apply.",
+  "shipping": "Shipping is 4.90 EUR, and free from 45 EUR. Islands: 9.90 EUR.",
   "submit": "Order now"
 }
""",
    "shop": """\
diff --git a/styles/product.css b/styles/product.css
--- a/styles/product.css
+++ b/styles/product.css
@@ -12,3 +12,4 @@
 .product-price {
-  color: #9a9a9a;
+  color: var(--ink);
+  font-variant-numeric: tabular-nums;
 }
@@ -40,4 +41,8 @@
 .cart-badge {
   position: absolute;
-  right: -12px;
+  inset-inline-end: 0;
 }
+
+@media (width < 360px) {
+  .cart-badge { inset-block-start: -4px; }
+}
""",
}
COMMANDS = (
    ("git push origin HEAD:preview", "Publish the branch on the preview site"),
    ("npx knex migrate:latest --env preview", "Add the column roast_date to the products of the preview site"),
    ("npm install sharp@0.34", "Convert the photos to AVIF"),
)


def code_of(number: int, title: str, tags: list[str]) -> JsonObject:
    """Make up what is handed in of a task: its commit, its change, and the check that passed."""
    head, diff = _commit(f"{number} {title}"), next((DIFFS[tag] for tag in tags if tag in DIFFS), DIFFS["shop"])
    return {
        "branch": f"task-{number}", "base": _commit("main"), "head": head, "diff": diff,
        "pull_request": f"{REPOSITORY}/pull/{number}",
        "commits": [{"id": head, "title": title, "url": f"{REPOSITORY}/commit/{head}"}],
        "check": {"command": "npm test", "exit_code": 0, "commit": head},
    }  # fmt: skip


def _commit(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


async def run_forge(api: "Api", speed: float) -> None:
    """Tell of the pull requests in review, as GitHub does: some checks fail first, and pass when they run again."""
    forge = Forge(api)
    while True:
        for board in (await api.get("/boards"))["items"]:
            if board["done_needs"]:
                await forge.look(f"/boards/{board['id']}")
        await asyncio.sleep(LOOK_SECONDS / speed)


class Forge:
    def __init__(self, api: "Api") -> None:
        self.api = api
        self.secrets: dict[str, tuple[str, str]] = {}
        self.red: set[str] = set()  # commits whose checks had failed at the last look

    async def look(self, path: str) -> None:
        """Tell a board what is new of the code that it has in review."""
        for task in (await self.api.get(f"{path}/tasks", status="review"))["items"]:
            runs = (await self.api.get(f"{path}/tasks/{task['id']}/runs", limit=1))["items"]
            code = runs and runs[0]["code"]
            if code and code["pull_request"] and (state := self._next_state(task["number"], code)):
                if path not in self.secrets:
                    self.secrets[path] = await _webhook(self.api, path)
                await _tell(self.api, *self.secrets[path], task["number"], code, state)

    def _next_state(self, number: int, code: JsonObject) -> str | None:
        checks, was_red = code["reported"] and code["reported"]["checks"], code["head"] in self.red
        if checks is None:
            return "success" if number % RED_EVERY else "failure"
        if checks == "failed":
            self.red.add(code["head"])
        return "success" if checks == "failed" and was_red else None


async def _webhook(api: "Api", path: str) -> tuple[str, str]:
    """Get the address at which a forge tells the board of code, and a new secret of it."""
    there = [hook for hook in (await api.get(f"{path}/webhooks"))["items"] if hook["repository"] == REPOSITORY]
    new = {"description": "Code of the shop", "forge": "github", "repository": REPOSITORY}
    hook = there[0] if there else await api.post(f"{path}/webhooks", **new)
    at = f"{path}/webhooks/{hook['id']}"
    return at, (await api.post(f"{at}/secret-rotations"))["secret"]


async def _tell(api: "Api", at: str, secret: str, number: int, code: JsonObject, conclusion: str) -> None:
    now, name = datetime.now(UTC).isoformat(), "lighthouse/shop"
    head = {"sha": code["head"], "ref": code["branch"], "repo": {"full_name": name}}
    repository = {"html_url": REPOSITORY, "full_name": name}
    pull = {"number": number, "html_url": code["pull_request"], "state": "open", "head": head, "updated_at": now}
    suite = {"id": number, "head_sha": code["head"], "status": "completed", "conclusion": conclusion, "updated_at": now}
    for event, about in (("pull_request", pull), ("check_suite", suite)):
        body = json.dumps({event: about, "repository": repository}).encode()
        signature = f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"
        headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        await api.call("POST", at, content=body, headers=headers)


async def ask_permission(api: "Api", session: str, chance: random.Random) -> None:
    """Ask for a command as Claude Code does, and wait for what people say, for ten minutes at most."""
    command, why = chance.choice(COMMANDS)
    about = {"session_id": session, "cwd": FOLDER, "permission_mode": "default"}
    call = {"tool_name": "Bash", "tool_input": {"command": command, "description": why}}
    path = "/connect/claude-code/hooks"
    await api.call("POST", path, json={**about, "hook_event_name": "PermissionRequest", **call}, timeout=620)
    await api.post(path, **about, hook_event_name="SessionEnd", reason="other")
