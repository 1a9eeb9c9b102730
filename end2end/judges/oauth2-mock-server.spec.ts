// Belay before a provider that lies. oauth2-mock-server makes the tokens; what is wrong with each is put
// in on the way out, by Node's own cryptography.

import { expect, test as base } from "@playwright/test";
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type MutableResponse, type MutableToken, OAuth2Server } from "oauth2-mock-server";
import { World } from "../world.ts";
import { Refusals, addresses, environment } from "./sign-in.ts";

type Claims = Record<string, unknown>;

/** What it says; whatever is absent is honest. */
type Lie = {
  /** Changes the claims before they are signed with the right key. */
  claims?: (claims: Claims) => void;
  /** Changes the answer of the token endpoint after that. */
  answer?: (answer: MutableResponse) => void;
  userInfo?: (answer: MutableResponse) => void;
};

const honest = { email: "ana.silva@example.com", email_verified: true };
const now = () => Math.floor(Date.now() / 1000);
const forger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

class Liar {
  readonly portal: string;
  readonly issuer: string;
  readonly server = new OAuth2Server();
  #lie: Lie = {};

  private constructor(portal: string, issuer: string) {
    this.portal = portal;
    this.issuer = issuer;
  }

  static async start(): Promise<Liar> {
    const { portal, issuer } = await addresses();
    const liar = new Liar(portal, issuer);
    const { service } = liar.server;
    await liar.server.issuer.keys.generate("RS256", { kid: "honest" });
    service.on("beforeTokenSigning", (token: MutableToken) => {
      Object.assign(token.payload, { aud: "belay" }, honest);
      liar.#lie.claims?.(token.payload);
    });
    service.on("beforeResponse", (answer: MutableResponse) => liar.#lie.answer?.(answer));
    service.on("beforeUserinfo", (answer: MutableResponse) => liar.#lie.userInfo?.(answer));
    await liar.server.start(Number(new URL(issuer).port), "localhost");
    return liar;
  }

  says(lie: Lie) {
    this.#lie = lie;
  }

  /** The key that signs. */
  get privateKey(): KeyObject {
    const [key] = this.server.issuer.keys.toJSON(true);
    if (!key) throw new Error("it has no key");
    return createPrivateKey({ key, format: "jwk" });
  }

  /** The key that verifies, as the world sees it. */
  get publicKey(): KeyObject {
    const [key] = this.server.issuer.keys.toJSON();
    if (!key) throw new Error("it has no key");
    return createPublicKey({ key, format: "jwk" });
  }
}

/** A sign-in from door to door: this provider has no pages, so no browser is needed. */
type Attempt = {
  succeeds(): Promise<void>;
  isRefused(code: string, why: RegExp): Promise<void>;
};

const test = base.extend<{ attempt: Attempt }, { liar: Liar; world: World }>({
  liar: [
    async ({}, use) => {
      const liar = await Liar.start();
      await use(liar);
      await liar.server.stop();
    },
    { scope: "worker" },
  ],
  world: [
    async ({ liar }, use) => {
      const world = await World.begin({ belay: environment(liar) });
      await use(world);
      await world.end();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  attempt: async ({ request, world }, use) => {
    const refusals = new Refusals(world);
    const statusOfMine = async () => (await request.get(`${world.portal}/mine`, { maxRedirects: 0 })).status();
    await use({
      async succeeds() {
        const page = await request.get(world.portal, { headers: { accept: "text/html" } });
        expect(page.status()).toBe(200);
        expect(await page.text()).toContain("Ana Silva");
        expect(await statusOfMine()).toBe(200);
        expect(refusals.more()).toEqual([]);
      },
      async isRefused(code, why) {
        const page = await request.get(world.portal, { headers: { accept: "text/html" } });
        expect(new URL(page.url()).pathname, "it ends at the callback").toBe("/auth/callback");
        expect(page.status()).toBeGreaterThanOrEqual(400);
        await refusals.expect(code, why);
        expect(await statusOfMine()).toBe(303);
      },
    });
  },
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Claims;

/** Puts another ID token in the place of the one that was signed. */
function forged(make: (claims: Claims, token: string) => string): Lie {
  return {
    answer: (answer) => {
      if (answer.body === "") throw new Error("no tokens to forge");
      const token = String(answer.body["id_token"]);
      answer.body["id_token"] = make(decode(token.split(".")[1]), token);
    },
  };
}

function signed(header: Claims, claims: Claims, key: KeyObject): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

function withSecret(header: Claims, claims: Claims, secret: string | Buffer): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const claim = (name: string, value: () => unknown): Lie => ({
  claims: (claims) => {
    const said = value();
    if (said === undefined) delete claims[name];
    else claims[name] = said;
  },
});

test("an honest token signs its person in", async ({ attempt, liar }) => {
  liar.says({});
  await attempt.succeeds();
});

// What it says, and the reason that Belay must have found.
const lies: [string, Lie | ((liar: Liar) => Lie), RegExp, code?: string][] = [
  ["for another audience", claim("aud", () => "somebody-else"), /Invalid audience/],
  ["for an audience that merely begins like ours", claim("aud", () => "belay-staging"), /Invalid audience/],
  ["for us and for somebody else", claim("aud", () => ["belay", "somebody-else"]), /Invalid audience/],
  ["for nobody", claim("aud", () => []), /Invalid audience/],
  ["without an audience", claim("aud", () => undefined), /Invalid audience/],
  ["for us, but given to somebody else", claim("azp", () => "somebody-else"), /azp/],
  ["of another issuer", claim("iss", () => "https://evil.example"), /Invalid issuer/],
  ["of an issuer that differs by a slash", (liar) => claim("iss", () => `${liar.issuer}/`), /Invalid issuer/],
  ["without an issuer", claim("iss", () => undefined), /missing field `iss`/],
  ["expired an hour ago", claim("exp", () => now() - 3_600), /Expired/],
  ["expired this minute", claim("exp", () => now() - 30), /Expired/],
  ["that never expires", claim("exp", () => undefined), /missing field `exp`/],
  ["of another sign-in", claim("nonce", () => "somebody-else-s"), /nonce/i, "sign-in-mismatch"],
  ["of no sign-in", claim("nonce", () => undefined), /nonce/i, "sign-in-mismatch"],
  ["about nobody", claim("sub", () => undefined), /missing field `sub`/],
  ["whose claims were changed after it was signed", forged((claims, token) => {
    const [header, , signature] = token.split(".");
    return `${header}.${encode({ ...claims, email: "emma.lindqvist@example.com" })}.${signature}`;
  }), /bad signature/],
  ["whose signature was cut off", forged((_, token) => `${token.split(".").slice(0, 2).join(".")}.`), /bad signature/],
  ["that says it needs no signature", forged((claims) => `${encode({ alg: "none" })}.${encode(claims)}.`), /No signature/],
  ["that says it needs no signature, with the honest one", forged((claims, token) => `${encode({ alg: "none", kid: "honest" })}.${encode(claims)}.${token.split(".")[2]}`), /No signature/],
  ["signed with a forged key under the honest one's name", forged((claims) => signed({ alg: "RS256", kid: "honest" }, claims, forger)), /bad signature/],
  ["signed with a forged key under no name", forged((claims) => signed({ alg: "RS256" }, claims, forger)), /bad signature/],
  ["signed with a forged key that it brings along", forged((claims) => {
    const jwk = createPublicKey(forger).export({ format: "jwk" });
    return signed({ alg: "RS256", kid: "forged", jwk }, claims, forger);
  }), /key is unknown/],
  ["signed with a key that is to be fetched elsewhere", (liar) => forged((claims) =>
    signed({ alg: "RS256", kid: "forged", jku: `${liar.portal}/keys`, x5u: `${liar.portal}/keys` }, claims, forger)), /key is unknown/],
  ["signed with the public key as if it were a secret", (liar) => forged((claims) =>
    withSecret({ alg: "HS256", kid: "honest" }, claims, liar.publicKey.export({ type: "spki", format: "pem" }))), /Disallowed signature algorithm/],
  ["signed with the client's secret", forged((claims) => withSecret({ alg: "HS256" }, claims, "belay-sandbox-secret")), /Disallowed signature algorithm/],
  ["with a header that must be understood, honestly signed", (liar) => forged((claims) =>
    signed({ alg: "RS256", kid: "honest", crit: ["only-for-others"], "only-for-others": true }, claims, liar.privateKey)), /critical/],
  ["that is no token", forged(() => "not.a.token"), /header/],
  ["that is not there", { answer: (answer) => void (answer.body !== "" && delete answer.body["id_token"]) }, /no ID token/],
];

for (const [what, lie, why, code] of lies) {
  test(`a token ${what} lets nobody in`, async ({ attempt, liar }) => {
    liar.says(typeof lie === "function" ? lie(liar) : lie);
      await attempt.isRefused(code ?? "sign-in-invalid", why);
  });
}

// What makes the lies above lies is what they say, not who made them.
test("an honest token that is made the same way signs its person in", async ({ attempt, liar }) => {
  liar.says(forged((claims) => signed({ alg: "RS256", kid: "honest" }, claims, liar.privateKey)));
  await attempt.succeeds();
});

test("userinfo about somebody else is not believed", async ({ attempt, liar }) => {
  liar.says({
    claims: (claims) => void delete claims["email"],
    userInfo: (answer) => (answer.body = { sub: "somebody-else", ...honest }),
  });
  await attempt.isRefused("sign-in-invalid", /another subject/);
});

test("userinfo does not overrule the token", async ({ attempt, liar }) => {
  liar.says({
    claims: (claims) => (claims["email_verified"] = false),
    userInfo: (answer) => (answer.body = { sub: "johndoe", ...honest }),
  });
  await attempt.isRefused("sign-in-nobody", /no claim rule/);
});

for (const [what, lie, code, why] of [
  ["refuses the client", { answer: (answer) => Object.assign(answer, { statusCode: 401, body: { error: "invalid_client" } }) }, "sign-in-invalid", /invalid_client/],
  ["breaks over the code", { answer: (answer) => Object.assign(answer, { statusCode: 500, body: {} }) }, "sign-in-invalid", /missing field/],
] satisfies [string, Lie, string, RegExp][]) {
  test(`a provider that ${what} lets nobody in`, async ({ attempt, liar }) => {
    liar.says(lie);
      await attempt.isRefused(code, why);
  });
}

test("after all of that an honest token still signs its person in", async ({ attempt, liar }) => {
  liar.says({});
  await attempt.succeeds();
});
