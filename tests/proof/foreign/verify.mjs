// Verifies certificates with the npm library @sd-jwt/sd-jwt-vc and Node's cryptography, without code of this project.
// Standard input: [{certificate, issuer, nonce, at}]. `issuer` is the issuer's JWK; without `nonce` no key binding is
// required. Standard output: {payload, bound} or {error} for each item.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const CURVES = { "P-256": "ES256", secp256k1: "ES256K" };

function checking(jwk, alg) {
  if (CURVES[jwk.crv] !== alg) return () => false;
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return (data, signature) =>
    verify("sha256", Buffer.from(data), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

function algorithmOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString()).alg;
}

async function judge({ certificate, issuer, nonce, at }) {
  const parts = certificate.split("~");
  const library = new SDJwtVcInstance({
    hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(Buffer.from(data)).digest(),
    hashAlg: "sha-256",
    verifier: checking(issuer, algorithmOf(parts[0])),
    kbVerifier: (data, signature, payload) => checking(payload.cnf.jwk, algorithmOf(parts.at(-1)))(data, signature),
  });
  try {
    const found = await library.verify(certificate, { currentDate: at, ...(nonce ? { keyBindingNonce: nonce } : {}) });
    return { payload: found.payload, bound: found.kb?.payload ?? null };
  } catch (error) {
    return { error: String(error.message) };
  }
}

const asked = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(asked.map(judge))));
