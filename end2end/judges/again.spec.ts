// Where a guardrail asks whoever decides to have signed in just before, Belay sends them to
// oidc-provider, a certified provider that nobody of us wrote, with `prompt=login` and `max_age`; and
// believes it no more than what it says.

import { type AccountClaims, Provider } from "oidc-provider";
import { type Page, expect, test as base } from "@playwright/test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { World } from "../world.ts";
import { type Addresses, Visitor, addresses, environment } from "./sign-in.ts";

const accounts: Record<string, Omit<AccountClaims, "sub">> = {
  "ben.okafor": { email: "ben.okafor@example.com", email_verified: true },
  "farid.haddad": { email: "farid.haddad@example.com", email_verified: true },
};

/** On call, Ben may approve for himself here. */
const ask = "/access/111122223333/PowerUserAccess";
const reason = "INC-4711: the pager, again";

/** The sandbox's policy, to which a guardrail is added. */
const usual = fileURLToPath(new URL("../../server/sandbox/policy.toml", import.meta.url));

/** The provider, with what it was asked of each sign-in. */
class Certified {
  readonly addresses: Addresses;
  readonly asked: URLSearchParams[] = [];
  #server: Server | undefined;

  constructor(addresses: Addresses) {
    this.addresses = addresses;
  }

  async serve() {
    const { portal, issuer } = this.addresses;
    const provider = new Provider(issuer, {
      clients: [
        { client_id: "belay", client_secret: "belay-sandbox-secret", redirect_uris: [`${portal}/auth/callback`] },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["a key for its cookies"] },
      features: { devInteractions: { enabled: true } },
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
      pkce: { required: () => true },
    });
    provider.use(async (context, next) => {
      if (context.path === "/auth") this.asked.push(new URLSearchParams(context.querystring));
      await next();
    });
    const { hostname, port } = new URL(issuer);
    await new Promise<void>((done) => (this.#server = provider.listen(Number(port), hostname, done)));
  }

  async stop() {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const test = base.extend<{ visitor: Visitor }, { provider: Certified; world: World }>({
  provider: [
    async ({}, use) => {
      const provider = new Certified(await addresses());
      await provider.serve();
      await use(provider);
      await provider.stop();
    },
    { scope: "worker" },
  ],
  world: [
    async ({ provider }, use) => {
      const folder = mkdtempSync(join(tmpdir(), "belay-policy-"));
      const policy = join(folder, "policy.toml");
      const guardrail = '[[guardrail]]\nname = "careful"\naccounts = ["111122223333"]\nreauthenticate = true\n';
      writeFileSync(policy, `${readFileSync(usual, "utf8")}\n${guardrail}`);
      const world = await World.begin({ belay: { ...environment(provider.addresses), BELAY_POLICY: policy } });
      await use(world);
      await world.end();
      rmSync(folder, { recursive: true });
    },
    { scope: "worker", timeout: 90_000 },
  ],
  visitor: async ({ browser, world }, use) => {
    const visitor = await Visitor.arrive(browser, world);
    await visitor.open(ask);
    await signIn(visitor.page, "ben.okafor");
    await visitor.page.waitForURL(world.portal + ask);
    await use(visitor);
    await visitor.context.close();
  },
});

/** Fills in the provider's own pages; a person whom it knows already need not let Belay know again. */
async function signIn(page: Page, account: string) {
  await page.getByPlaceholder("Enter any login").fill(account);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click({ noWaitAfter: true });
  const consent = page.getByRole("button", { name: "Continue" });
  const back = page.getByRole("banner").getByRole("button", { name: "Ben Okafor" });
  await consent.or(back).first().waitFor();
  if (await consent.isVisible()) await consent.click({ noWaitAfter: true });
}

/** Asks, and stands at the provider's door. */
async function leave({ page }: Visitor) {
  await page.getByLabel("Why do you need it?").fill(reason);
  await page.getByRole("button", { name: "Sign in again to get access" }).click({ noWaitAfter: true });
}

/** Back on the page that was left, with what was typed. */
async function expectBack({ page, world }: Visitor, says: string | RegExp) {
  await page.waitForURL((url) => url.href.startsWith(world.portal + ask));
  await expect(page.getByText(says)).toBeVisible();
  await expect(page.getByLabel("Why do you need it?")).toHaveValue(reason);
}

test("an answer from the provider's own session, without auth_time, proves nothing", async ({ visitor }) => {
  // Nobody asked for a new sign-in, or when it was, so the provider does neither.
  await visitor.rewrite("/auth", (url) => {
    url.searchParams.delete("prompt");
    url.searchParams.delete("max_age");
  });
  await leave(visitor);
  await expectBack(visitor, "does not say that you have just signed in");
  await visitor.relent();
  await expect(visitor.page.getByRole("button", { name: "Sign in again to get access" })).toBeVisible();
});

test("somebody else's password proves nothing", async ({ visitor }) => {
  await leave(visitor);
  await signIn(visitor.page, "farid.haddad");
  await expectBack(visitor, "Somebody else signed in");
});

test("who cancels comes back with what they typed", async ({ visitor }) => {
  await leave(visitor);
  await visitor.page.getByRole("link", { name: "Cancel" }).click({ noWaitAfter: true });
  await expectBack(visitor, "The sign-in was not completed");
});

test("an answer that is sent again proves nothing more", async ({ visitor }) => {
  await leave(visitor);
  let answer = "";
  await visitor.rewrite("/auth/callback", (url) => (answer = url.href));
  await signIn(visitor.page, "ben.okafor");
  await expectBack(visitor, "You have signed in again.");
  await visitor.relent();
  expect((await visitor.page.goto(answer))?.status()).toBe(400);
});

test("an answer to an ordinary sign-in does not pass for one to this", async ({ visitor }) => {
  // The nonce of another sign-in: as if a token of an earlier one were put in its place.
  await visitor.rewrite("/auth", (url) => url.searchParams.set("nonce", "somebody-else-s-nonce"));
  await leave(visitor);
  await signIn(visitor.page, "ben.okafor");
  await expectBack(visitor, "does not check out");
});

// Last: the same again within seconds would be taken for a second click.
test("a provider that is asked to asks for the password again, and says when it was given", async ({ visitor, provider }) => {
  await leave(visitor);
  // It knows who is there, and asks all the same.
  await expect(visitor.page.getByPlaceholder("and password")).toBeVisible();
  const asked = provider.asked.at(-1);
  expect([asked?.get("prompt"), asked?.get("max_age")]).toEqual(["login", "600"]);
  await signIn(visitor.page, "ben.okafor");
  await expectBack(visitor, "You have signed in again.");

  await visitor.page.getByRole("button", { name: "Get access" }).click();
  await visitor.page.waitForURL(/\/requests\//);
  // Once: the next one asks again.
  await visitor.open(ask);
  await expect(visitor.page.getByRole("button", { name: "Sign in again to get access" })).toBeVisible();
});
