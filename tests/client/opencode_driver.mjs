// Runs the plugin as opencode does: a line in is a hook with what it is given, a line out what became of that.
import { createInterface } from "node:readline";

const say = (one) => process.stdout.write(`${JSON.stringify(one)}\n`);
const { MissionControl } = await import(process.argv[2]);
const client = { _client: { post: async (given) => say({ replied: given }) } };
const hooks = await MissionControl({ client, directory: "/home/mara/shop" });
say({ hooks: Object.keys(hooks) });
const call = async ({ key, name, given }) => {
  if (name === "exit") process.exit(0);
  try {
    await hooks[name](...given);
    say({ key, given });
  } catch (error) {
    say({ key, given, error: error.message });
  }
};
for await (const line of createInterface({ input: process.stdin })) call(JSON.parse(line));
