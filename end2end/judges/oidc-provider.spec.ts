// Belay signs people in at oidc-provider, a certified provider that nobody of us wrote: with its own
// pages, its own checks of PKCE, codes and redirects, and keys that change.

import { type APIResponse, expect, test as base } from "@playwright/test";
import { createHash, generateKeyPairSync } from "node:crypto";
import type { Server } from "node:http";
import { type AccountClaims, type JWK, Provider } from "oidc-provider";
import { World } from "../world.ts";
import { type Addresses, Visitor, addresses, environment } from "./sign-in.ts";

const client = { id: "belay", secret: "belay-sandbox-secret" };

/** A program that speaks for people; it has no secret to keep. */
const tool = { id: "tool", verifier: "a-verifier-of-a-program-0123456789-0123456789" };

/** Belay's API, as the provider knows it. */
const api = "https://belay.example.com/api/v1";

/** Who has an account at the provider; it takes any password. */
const accounts: Record<string, Omit<AccountClaims, "sub">> = {
  "ana.silva": { email: "ana.silva@example.com", email_verified: true },
  "ben.okafor": { email: "Ben.Okafor@Example.com", email_verified: true },
  unverified: { email: "carla.rossi@example.com", email_verified: false },
  stranger: { email: "stranger@example.com", email_verified: true },
  disabled: { email: "noah.berg@example.com", email_verified: true },
  usurper: { email: "ana.silva@example.com", email_verified: true },
};

function newKey(id: string): JWK {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: id, use: "sig", alg: "RS256" } as JWK;
}

class Certified {
  readonly issuer: string;
  readonly portal: string;
  /** Why it gave no tokens, in its own words. */
  readonly refused: string[] = [];
  #server: Server | undefined;

  constructor({ portal, issuer }: Addresses) {
    this.issuer = issuer;
    this.portal = portal;
  }

  /** Starts it, or starts it anew, with these keys; the first one signs. */
  async serve(keys: JWK[]) {
    await this.stop();
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: client.id,
          client_secret: client.secret,
          redirect_uris: [`${this.portal}/auth/callback`],
          post_logout_redirect_uris: [`${this.portal}/signed-out`],
        },
        { client_id: tool.id, token_endpoint_auth_method: "none", redirect_uris: [`${this.portal}/callback`] },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["a key for its cookies"] },
      features: {
        devInteractions: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: "belay:read belay:submit", audience: api, accessTokenFormat: "jwt", accessTokenTTL: 300 }),
        },
      },
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
      jwks: { keys },
      pkce: { required: () => true },
    });
    provider.on("grant.error", (_context, error) => this.refused.push(error.error_detail ?? error.message));
    const { hostname, port } = new URL(this.issuer);
    await new Promise<void>((done) => (this.#server = provider.listen(Number(port), hostname, done)));
  }

  async stop() {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const test = base.extend<{ visitor: Visitor; attacker: Visitor }, { provider: Certified; world: World }>({
  provider: [
    async ({}, use) => {
      const provider = new Certified(await addresses());
      await use(provider);
      await provider.stop();
    },
    { scope: "worker" },
  ],
  world: [
    async ({ provider }, use) => {
      await provider.serve([newKey("first")]);
      const world = await World.begin({ belay: { ...environment(provider), BELAY_API_AUDIENCE: api } });
      await use(world);
      await world.end();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  visitor: async ({ browser, world }, use) => {
    const visitor = await Visitor.arrive(browser, world);
    await use(visitor);
    await visitor.context.close();
  },
  attacker: async ({ browser, world }, use) => {
    const attacker = await Visitor.arrive(browser, world);
    await use(attacker);
    await attacker.context.close();
  },
});

/** Fills in the provider's own pages: who, and whether Belay may know. */
async function signIn({ page }: Visitor, account: string) {
  await page.getByPlaceholder("Enter any login").fill(account);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click({ noWaitAfter: true });
}

/** Spends a code at the provider as somebody would who stole it, and the client's secret as well. */
async function spend(visitor: Visitor, provider: Certified, code: string, verifier?: string): Promise<APIResponse> {
  return visitor.context.request.post(`${provider.issuer}/token`, {
    headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
    form: { grant_type: "authorization_code", code, redirect_uri: `${visitor.world.portal}/auth/callback`, ...(verifier && { code_verifier: verifier }) },
  });
}

const code = (url: URL) => url.searchParams.get("code") ?? "";

test("a person signs in and arrives where they wanted to go", async ({ visitor }) => {
  await visitor.open("/approvals");
  await signIn(visitor, "ana.silva");
  await visitor.page.waitForURL(`${visitor.world.portal}/approvals`);
  await visitor.expectIn("Ana Silva");
});

test("the case of an e-mail makes no other person", async ({ visitor }) => {
  await visitor.open();
  await signIn(visitor, "ben.okafor");
  await visitor.expectIn("Ben Okafor");
});

for (const [account, says, code, why] of [
  ["unverified", "an e-mail that is not verified", "sign-in-nobody", "no claim rule finds anyone"],
  ["stranger", "an e-mail that nobody has", "sign-in-nobody", "no claim rule finds anyone"],
  ["disabled", "somebody who is disabled", "sign-in-disabled", "the person is disabled"],
  ["usurper", "a second account with the e-mail of a first", "sign-in-bound-elsewhere", "bound to another"],
] as const) {
  test(`${says} stays outside`, async ({ visitor }) => {
    if (account === "usurper") {
      const ana = await Visitor.arrive(visitor.context.browser()!, visitor.world);
      await ana.open();
      await signIn(ana, "ana.silva");
      await ana.expectIn("Ana Silva");
    }
    await visitor.open();
    await signIn(visitor, account);
    await visitor.expectRefused(code, why);
  });
}

test("who cancels at the provider is told, and is not sent back there", async ({ visitor }) => {
  await visitor.open();
  await visitor.page.getByRole("link", { name: "Cancel" }).click();
  await visitor.expectRefused("sign-in-declined", "access_denied");
});

test("a code is used up, and so is its answer", async ({ visitor }) => {
  await visitor.open();
  let answer = "";
  await visitor.rewrite("/auth/callback", (url) => (answer = url.href));
  await signIn(visitor, "ana.silva");
  await visitor.expectIn("Ana Silva");
  await visitor.relent();

  const again = await visitor.page.goto(answer);
  expect(again?.status()).toBe(400);
  expect(visitor.refusals.more()).toMatchObject([{ code: "sign-in-mismatch" }]);
  await visitor.open("/mine");
  await visitor.expectIn("Ana Silva");
});

// A provider that sees a code twice takes back what it gave for it, so it may end with nobody let in.
test("one answer that is sent many times at once lets in once at most", async ({ visitor }) => {
  await visitor.open();
  const stolen = await visitor.steal("/auth/callback");
  await signIn(visitor, "ana.silva");
  const answer = (await stolen.url).href;
  const send = async () => (await visitor.context.request.get(answer, { maxRedirects: 0 })).status();
  const statuses = await Promise.all([send(), send(), send(), send()]);
  expect(statuses.filter((status) => status < 400).length, String(statuses)).toBeLessThanOrEqual(1);
});

test("a stolen code is worth nothing even to who has the client's secret: it lacks the verifier", async ({ visitor, provider }) => {
  await visitor.open();
  const stolen = await visitor.steal("/auth/callback");
  await signIn(visitor, "ana.silva");
  for (const verifier of [undefined, "a-verifier-that-somebody-made-up-0123456789-0123456789"]) {
    const answer = await spend(visitor, provider, code(await stolen.url), verifier);
    expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
    expect(provider.refused.pop()).toMatch(/PKCE|verifier/);
  }
});

test("a stolen code put into another sign-in lets nobody in", async ({ visitor, attacker, provider }) => {
  await visitor.open();
  const stolen = await visitor.steal("/auth/callback");
  await signIn(visitor, "ana.silva");
  const ours = code(await stolen.url);

  await attacker.open();
  await attacker.rewrite("/auth/callback", (url) => url.searchParams.set("code", ours));
  await signIn(attacker, "ben.okafor");
  await attacker.expectRefused("sign-in-expired", "invalid_grant");
  expect(provider.refused.pop()).toMatch(/PKCE|verifier/);
});

test("an answer followed in another browser lets nobody in", async ({ visitor, attacker }) => {
  await attacker.open();
  const stolen = await attacker.steal("/auth/callback");
  await signIn(attacker, "ben.okafor");
  const bait = await stolen.url;

  await visitor.page.goto(bait.href);
  await visitor.expectRefused("sign-in-mismatch", "no sign-in under way");
});

test("an ID token of another sign-in is refused for its nonce", async ({ visitor }) => {
  await visitor.rewrite("/auth", (url) => url.searchParams.set("nonce", "somebody-else-s-nonce"));
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectRefused("sign-in-mismatch", "nonce");
});

test("an ID token without a nonce is refused", async ({ visitor }) => {
  await visitor.rewrite("/auth", (url) => url.searchParams.delete("nonce"));
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectRefused("sign-in-mismatch", "nonce");
});

test("a challenge that was changed on the way fits no verifier", async ({ visitor, provider }) => {
  await visitor.rewrite("/auth", (url) => url.searchParams.set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectRefused("sign-in-expired", "invalid_grant");
  expect(provider.refused.pop()).toMatch(/PKCE|verifier/);
});

test("a challenge that was taken out on the way is missed by the provider", async ({ visitor }) => {
  await visitor.rewrite("/auth", (url) => {
    url.searchParams.delete("code_challenge");
    url.searchParams.delete("code_challenge_method");
  });
  await visitor.open();
  await visitor.expectRefused("sign-in-declined", "invalid_request");
});

for (const [what, change, why] of [
  ["another issuer", (url: URL) => url.searchParams.set("iss", "https://evil.example"), "names another issuer"],
  ["no issuer", (url: URL) => url.searchParams.delete("iss"), "does not name its issuer"],
  ["another state", (url: URL) => url.searchParams.set("state", "made-up"), "no sign-in of this browser has that state"],
] as const) {
  test(`an answer that names ${what} is refused`, async ({ visitor }) => {
    await visitor.open();
    await visitor.rewrite("/auth/callback", change);
    await signIn(visitor, "ana.silva");
    await visitor.expectRefused("sign-in-mismatch", why);
  });
}

test("a token that a program was given counts at the API, for whom and for what it says", async ({ visitor, provider }) => {
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectIn("Ana Silva");

  const back = `${visitor.world.portal}/callback`;
  const stolen = await visitor.steal("/callback");
  const asked = new URLSearchParams({
    client_id: tool.id,
    response_type: "code",
    redirect_uri: back,
    scope: "openid belay:read",
    resource: api,
    code_challenge: createHash("sha256").update(tool.verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  await visitor.page.goto(`${provider.issuer}/auth?${asked}`);
  await visitor.page.getByRole("button", { name: "Continue" }).click({ noWaitAfter: true });
  const form = {
    grant_type: "authorization_code",
    client_id: tool.id,
    code: code(await stolen.url),
    redirect_uri: back,
    code_verifier: tool.verifier,
    resource: api,
  };
  const given = await (await visitor.context.request.post(`${provider.issuer}/token`, { form })).json();

  const me = async (token: string) =>
    visitor.context.request.get(`${visitor.world.portal}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
  const answer = await me(given.access_token);
  expect(await answer.json()).toMatchObject({ name: "Ana Silva", by: "token", scopes: ["belay:read"] });
  // What proves to the program who signed in is no token for anything.
  const refused = await me(given.id_token);
  expect(refused.status()).toBe(401);
  expect(await refused.json()).toMatchObject({ code: "invalid-token" });
});

test("who signs out is signed out at the provider, too", async ({ visitor, provider }) => {
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectIn("Ana Silva");
  await visitor.page.getByRole("banner").getByRole("button", { name: "Ana Silva" }).click();
  await visitor.page.getByRole("button", { name: "Sign out" }).click();
  await visitor.page.getByRole("button", { name: "Yes, sign me out" }).click();
  await visitor.page.waitForURL(`${visitor.world.portal}/signed-out`);
  await visitor.expectOutside();

  await visitor.open();
  expect(visitor.page.url()).toContain(provider.issuer);
  await expect(visitor.page.getByPlaceholder("Enter any login")).toBeVisible();
});

// Last: what was signed before is not valid after it.
test("a new key is learnt without a restart, and one that is gone is forgotten", async ({ visitor, attacker, provider }) => {
  const [second, third] = [newKey("second"), newKey("third")];
  await provider.serve([second]);
  await visitor.open();
  await signIn(visitor, "ana.silva");
  await visitor.expectIn("Ana Silva");

  // Keys are read again at most each half minute, so a second change at once is refused, and not believed.
  await provider.serve([third]);
  await attacker.open();
  await signIn(attacker, "ben.okafor");
  await attacker.expectRefused("sign-in-invalid", "key is unknown");
});
