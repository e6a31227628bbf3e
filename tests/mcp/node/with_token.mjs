// A proxy on loopback that adds a token to every request, for clients that cannot send one. It prints its address.
//
//   node with_token.mjs URL TOKEN
import http from 'node:http'

const [target, token] = process.argv.slice(2)

const server = http.createServer((request, response) => {
  const headers = { ...request.headers, authorization: `Bearer ${token}` }
  const onward = http.request(target, { method: request.method, headers, path: request.url }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  request.pipe(onward)
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
