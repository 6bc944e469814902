// A TypeScript client with types from docs/openapi.json: signs in, creates an API key, reads, acts, and signs out.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { statementOf, type Settings } from "./signing.mjs";

declare const process: { env: Record<string, string>; exit(code: number): never };

const settings: Settings = JSON.parse(process.env.SETTINGS);
const { url: baseUrl, party, broker, now } = settings;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

function got<T>(answer: { data?: T; error?: { code?: string }; response: Response }): T {
  if (answer.data === undefined) {
    console.error(answer.response.url, answer.response.status, answer.error?.code);
    process.exit(1);
  }
  return answer.data;
}

const visitor = createClient<paths>({ baseUrl });
const { nonce } = got(await visitor.POST("/v1/sessions/nonce", { body: { party } }));
const statement = statementOf(settings, nonce, now);
const session = got(await visitor.POST("/v1/sessions", { body: { statement, cookie: false } }));
if (session.token === null) process.exit(2);

const owner = createClient<paths>({ baseUrl, headers: bearer(session.token) });
const wanted = { name: "reports", scopes: ["read" as const], expires_at: now + 86_400 };
const key = got(await owner.POST("/v1/api-keys", { body: wanted }));
const machine = createClient<paths>({ baseUrl, headers: bearer(key.key) });
const read = got(await machine.GET("/v1/parties/{party}", { params: { path: { party } } }));
const mandate = { params: { path: { party } }, body: { broker, valid_to: now + 86_400 } };
const refused = await machine.POST("/v1/parties/{party}/mandates", mandate);
const acted = got(await owner.POST("/v1/parties/{party}/mandates", mandate));
const out = await owner.DELETE("/v1/sessions/current");
const after = await owner.GET("/v1/sessions");

console.log(
  JSON.stringify({
    party: session.party,
    read: read.account,
    refused: refused.error?.code,
    acted: acted.broker,
    out: out.response.status,
    after: after.error?.code,
  }),
);
