// A client of the official TypeScript SDK, driven by lines of JSON on its standard input; one line answers each.
//
//   node driver.mjs sdk|client-legacy|client-modern URL TOKEN
//
// {"do": "tools"}                                             the tools' names; the client then checks what they answer
// {"do": "call", "key": 1, "tool": ..., "arguments": ..., "timeout": ms}
// {"do": "abort", "key": 1}                                   abort that call by its AbortSignal
import readline from 'node:readline'

const [library, url, token] = process.argv.slice(2)
const requestInit = { headers: { Authorization: `Bearer ${token}` } }
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

async function connected() {
  const about = { name: 'driver', version: '1' }
  if (library === 'sdk') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
    const client = new Client(about)
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
    return [client, (asked, options) => client.callTool(asked, undefined, options)]
  }
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const mode = library === 'client-modern' ? { pin: '2026-07-28' } : 'legacy'
  const client = new Client(about, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
  return [client, (asked, options) => client.callTool(asked, options)]
}

const [client, call] = await connected()
client.onerror = (error) => say({ complaint: String(error) })
const aborts = new Map()

const deeds = {
  async tools() {
    return { names: (await client.listTools()).tools.map((one) => one.name) }
  },
  async call({ key, tool, arguments: given, timeout }) {
    const controller = new AbortController()
    aborts.set(key, controller)
    try {
      const result = await call({ name: tool, arguments: given }, { signal: controller.signal, timeout: timeout ?? 60_000 })
      return { result }
    } catch (error) {
      return { error: `${error.name}: ${error.message}`, code: error.code }
    }
  },
  async abort({ key }) {
    aborts.get(key).abort('no longer wanted')
    return {}
  },
}

say({ ready: client.getServerVersion()?.name })
for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const at = asked.do === 'abort' ? undefined : asked.key
  deeds[asked.do](asked).then((answer) => say({ do: asked.do, key: at, ...answer }))
}
await client.close()
process.exit(0)
