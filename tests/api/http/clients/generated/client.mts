// A client made by @hey-api/openapi-ts: signs in, and calls every operation of the service, that of signing out last.
import calls from "./calls.json" with { type: "json" };
import { client } from "./sdk/client.gen.js";
import * as sdk from "./sdk/index.js";
import { statementOf, type Settings } from "./signing.mjs";

declare const process: { env: Record<string, string> };

interface Call {
  name: string;
  path: Record<string, string | number>;
  query: Record<string, string | number>;
  body?: unknown;
}

interface Answer {
  data?: unknown;
  error?: unknown;
  response?: Response;
}

const settings: Settings = JSON.parse(process.env.SETTINGS);
const { url: baseUrl, party, now } = settings;
client.setConfig({ baseUrl });
const { nonce } = (await sdk.sessionsNonce({ body: { party }, throwOnError: true })).data;
const statement = statementOf(settings, nonce, now);
const session = (await sdk.sessionsBegin({ body: { statement }, throwOnError: true })).data;
client.setConfig({ baseUrl, auth: () => session.token ?? undefined });
const own = (await sdk.partiesParty({ path: { party }, throwOnError: true })).data;

const operations = sdk as unknown as Record<string, (call: object) => Promise<Answer>>;
const statuses: Record<string, number> = {};
for (const { name, path, query, body } of calls as Call[]) {
  const { data, error, response } = await operations[name]({ path, query, body });
  statuses[name] = data === undefined && error === undefined ? 0 : (response?.status ?? 0);
}

console.log(JSON.stringify({ account: own.account, statuses }));
