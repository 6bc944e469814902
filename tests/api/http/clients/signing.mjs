// Signs the sign-in statement that docs/protocol.md describes, with Node's cryptography only. The result is a compact
// JWS with ES256 and a low s.
import { createPrivateKey, sign } from "node:crypto";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

// Returns the canonical JSON (RFC 8785) of a flat object with texts and integers.
const canonical = (members) =>
  JSON.stringify(Object.fromEntries(Object.entries(members).sort(([left], [right]) => (left < right ? -1 : 1))));

const encoded = (text) => Buffer.from(text, "utf8").toString("base64url");

export function statementOf(settings, nonce, now) {
  const { origin, chainId, ledger, party, kid, key } = settings;
  const header = { alg: "ES256", kid, typ: "pingzheng-session+jws" };
  const payload = { type: "session", v: 2, origin, chain_id: chainId, ledger, party, nonce, expires_at: now + 300 };
  const signed = `${encoded(canonical(header))}.${encoded(canonical(payload))}`;
  const signer = createPrivateKey({ key, format: "jwk" });
  return `${signed}.${lowS(sign("sha256", Buffer.from(signed), { key: signer, dsaEncoding: "ieee-p1363" }))}`;
}

function lowS(signature) {
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  const low = s > ORDER / 2n ? ORDER - s : s;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(low.toString(16).padStart(64, "0"), "hex")]).toString(
    "base64url",
  );
}
