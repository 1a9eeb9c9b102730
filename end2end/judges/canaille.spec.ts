// A second provider, unrelated to the first and written in another language: canaille. Two things of
// its own make it worth the while. Its tokens are for nobody unless it is told whom they are for, which a
// client must refuse; and it calls no e-mail verified.

import { type Page, expect, test as base } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../world.ts";
import { Program } from "./program.ts";
import { type Addresses, Visitor, addresses, environment } from "./sign-in.ts";

const password = "correct horse battery";

class Canaille extends Program {
  readonly at: Addresses;

  constructor({ portal, issuer }: Addresses) {
    super("canaille", { CANAILLE_CONFIG: "canaille.toml" });
    this.at = { portal, issuer };
  }

  async begin() {
    const { portal, issuer } = this.at;
    const { host } = new URL(issuer);
    const configuration = [
      'SECRET_KEY = "a key for its cookies"',
      `SERVER_NAME = "${host}"`,
      'PREFERRED_URL_SCHEME = "http"',
      "[CANAILLE]",
      'DATABASE = "sql"',
      "[CANAILLE_SQL]",
      `DATABASE_URI = "sqlite:///${join(this.folder, "canaille.sqlite")}"`,
    ];
    writeFileSync(join(this.folder, "canaille.toml"), configuration.join("\n"));
    await this.run(["install"]);
    await this.run([
      ...["create", "user", "--user-name", "ana.silva", "--password", password],
      ...["--given-name", "Ana", "--family-name", "Silva", "--emails", "ana.silva@example.com"],
    ]);
    await this.run([
      ...["create", "client", "--client-id", "belay", "--client-secret", "belay-sandbox-secret", "--client-name", "Belay"],
      ...["--redirect-uris", `${portal}/auth/callback`, "--post-logout-redirect-uris", `${portal}/signed-out`],
      ...["--grant-types", "authorization_code", "--response-types", "code"],
      ...["--token-endpoint-auth-method", "client_secret_basic", "--client-uri", portal],
      ...["--scope", "openid", "--scope", "profile", "--scope", "email"],
    ]);
    await this.serve(["run", "--bind", host.replace("localhost", "127.0.0.1")], `${issuer}/.well-known/openid-configuration`);
  }
}

const test = base.extend<{ visit: (world: World) => Promise<Visitor> }, { canaille: Canaille; world: World }>({
  canaille: [
    async ({}, use) => {
      const canaille = new Canaille(await addresses());
      try {
        await canaille.begin();
        await use(canaille);
      } finally {
        await canaille.stop();
      }
    },
    { scope: "worker", timeout: 90_000 },
  ],
  world: [
    async ({ canaille }, use) => {
      const world = await World.begin({ belay: environment(canaille.at) });
      await use(world);
      await world.end();
    },
    { scope: "worker", timeout: 90_000 },
  ],
  visit: async ({ browser }, use) => {
    const visitors: Visitor[] = [];
    await use(async (world) => {
      const visitor = await Visitor.arrive(browser, world);
      visitors.push(visitor);
      return visitor;
    });
    for (const visitor of visitors) await visitor.context.close();
  },
});

/** Fills in its pages: who, and the password. It asks for no consent where a client is on the same machine. */
async function signIn(page: Page) {
  await page.locator("input[name=login]").fill("ana.silva");
  await page.locator("form button[type=submit]").first().click();
  await page.locator("input[name=password]").fill(password);
  await page.locator("form button[type=submit]").first().click({ noWaitAfter: true });
}

test("its tokens, which are for nobody, let nobody in", async ({ visit, world }) => {
  const visitor = await visit(world);
  await visitor.open();
  await signIn(visitor.page);
  await visitor.expectRefused("sign-in-invalid", /Invalid audiences: must contain `belay` \(found audiences: \)/);
});

test("told whom they are for, its tokens are believed, but its e-mails are not", async ({ visit, world, canaille }) => {
  await canaille.run(["set", "client", "belay", "--audience", "belay"]);
  const visitor = await visit(world);
  await visitor.open();
  await signIn(visitor.page);
  await visitor.expectRefused("sign-in-nobody", "no claim rule finds anyone");
});

test("a person whom a rule finds by user name signs in, and out again", async ({ visit, canaille, world }) => {
  await world.killBelay();
  const rules = { BELAY_OIDC_CLAIMS: "email=emails.value, sub=userName" };
  const other = await World.begin({ belay: { ...environment(canaille.at), ...rules } });
  try {
    const visitor = await visit(other);
    await visitor.open("/mine");
    await signIn(visitor.page);
    await visitor.page.waitForURL(`${other.portal}/mine`);
    await visitor.expectIn("Ana Silva");
    await visitor.page.getByRole("banner").getByRole("button", { name: "Ana Silva" }).click();
    await visitor.page.getByRole("button", { name: "Sign out" }).click();
    await visitor.page.waitForURL(`${other.portal}/signed-out`);
    await visitor.expectOutside();
    await visitor.open();
    await expect(visitor.page.locator("input[name=login], input[name=password]").first()).toBeVisible();
  } finally {
    await other.end();
  }
});
