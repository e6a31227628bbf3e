// A certified OpenID Connect provider (npm's oidc-provider) on a port of the loopback, for the tests beside it.
// Its keys can be rotated, and it counts how often its keys were read. `/v1` is the part of a backend API that hands
// out the same keys, and profiles, to the holder of a secret.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const SECRET = process.env.BACKEND_SECRET;
const state = { read: 0, serial: 0, deleted: [], refuse: false };
let provider, keys, issuer;

const people = {
  vera: { email: "Vera@Example.org", email_verified: true, name: "Vera Rubin" },
  otto: { email: "otto@example.org", email_verified: false, name: "Otto Struve" },
  anon: {},
};

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  state.serial += 1;
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${state.serial}`, use: "sig", alg: "RS256" };
}

function build() {
  keys = [newKey()];
  const made = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ["a key for cookies"] },
    clients: [
      client("mission-control", "authorization_code", "a secret / of: the client"),
      { ...client("public", "authorization_code"), token_endpoint_auth_method: "none" },
      {
        ...client("posting", "authorization_code", "another / secret: of the client"),
        token_endpoint_auth_method: "client_secret_post",
      },
      client("another", "authorization_code", "another secret"),
      { ...client("machine", "client_credentials", "a secret of the machine"), redirect_uris: [], response_types: [] },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    pkce: { methods: ["S256"], required: () => true },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, client) => (client.clientId === "machine" ? "https://mission.example.org/api" : undefined),
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({ scope: "", audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 600 }),
      },
    },
    ttl: { IdToken: 600 },
  });
  made.proxy = false;
  return made;
}

function client(id, grant, secret) {
  return {
    client_id: id,
    client_secret: secret,
    grant_types: [grant],
    redirect_uris: ["http://localhost/sign-in/callback"],
    response_types: ["code"],
    // the tests' own address is plain HTTP
    application_type: "native",
  };
}

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function publicKeys() {
  return { keys: keys.map(({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg })) };
}

function backend(request, response) {
  if (request.headers.authorization !== `Bearer ${SECRET}`) return json(response, 401, {});
  if (request.url === "/v1/jwks") {
    state.read += 1;
    return json(response, 200, publicKeys());
  }
  const id = decodeURIComponent(request.url.split("/").pop());
  if (request.method === "DELETE") {
    if (state.refuse) return json(response, 500, {});
    state.deleted.push(id);
    return json(response, people[id] ? 200 : 404, { id });
  }
  const person = people[id];
  if (!person) return json(response, 404, {});
  const address = { id: "idn_1", email_address: person.email, verification: { status: person.email_verified ? "verified" : "unverified" } };
  return json(response, 200, { id, first_name: person.name, email_addresses: person.email ? [address] : [], primary_email_address_id: "idn_1" });
}

const server = createServer((request, response) => {
  if (request.url.startsWith("/v1/")) return backend(request, response);
  if (request.url === "/test/rotate") {
    provider = build();
    return json(response, 200, publicKeys());
  }
  if (request.url === "/test/refuse") state.refuse = !state.refuse;
  if (request.url === "/test/key") return json(response, 200, keys[0]);
  if (request.url.startsWith("/test/")) return json(response, 200, state);
  if (request.url === "/jwks") state.read += 1;
  return provider.callback()(request, response);
});

server.listen(0, "127.0.0.1", () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  provider = build();
  console.log(`issuer ${issuer}`);
});
