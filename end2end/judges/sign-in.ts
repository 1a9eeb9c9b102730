// A browser at Belay's door, with a hand on the wire between the two: sign-ins are judged by what Belay
// lets in, and by the reason that its log gives, so that a refusal for another reason is no pass.

import { type Browser, type BrowserContext, type CDPSession, type Page, expect } from "@playwright/test";
import { createServer } from "node:net";
import type { World } from "../world.ts";

/** A port on which nobody listens yet: provider and portal must know each other's address beforehand. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Where Belay is, and who signs people in there. */
export type Addresses = { portal: string; issuer: string };

export async function addresses(): Promise<Addresses> {
  return { portal: `http://localhost:${await freePort()}`, issuer: `http://localhost:${await freePort()}` };
}

/** The variables of a Belay at these addresses. */
export function environment({ portal, issuer }: Addresses): Record<string, string> {
  return {
    BELAY_PUBLIC_URL: portal,
    BELAY_LISTEN: `127.0.0.1:${new URL(portal).port}`,
    BELAY_OIDC_ISSUER: issuer,
  };
}

type Refusal = { code: string; why: string };

/** What Belay's log says of sign-ins, from the moment that this was made. */
export class Refusals {
  readonly #world: World;
  #seen: number;

  constructor(world: World) {
    this.#world = world;
    this.#seen = this.#log.length;
  }

  get #log(): string {
    return this.#world.logs["belay.log"] ?? "";
  }

  /** Those since this was asked last. */
  more(): Refusal[] {
    // A line that is still being written is read when it is whole.
    const log = this.#log;
    const whole = log.lastIndexOf("\n") + 1;
    const lines = log.slice(this.#seen, whole).split("\n");
    this.#seen = Math.max(this.#seen, whole);
    const isRefusal = (line: string) => /"message":"a sign-in (was refused|could not be finished)"/.test(line);
    return lines.filter(isRefusal).map((line) => JSON.parse(line) as Refusal);
  }

  /** There is exactly one, with this code and for this reason. The log may come after the page. */
  async expect(code: string, why: RegExp | string) {
    const refusals: Refusal[] = [];
    const codes = () => {
      refusals.push(...this.more());
      return refusals.map((refusal) => refusal.code);
    };
    await expect.poll(codes, { message: "the refusals that Belay logged" }).toEqual([code]);
    expect(refusals[0]?.why).toMatch(why);
  }
}

/** A browser that nobody has used yet. */
export class Visitor {
  readonly page: Page;
  readonly world: World;
  #cdp: CDPSession;
  readonly refusals: Refusals;
  #act: ((event: { requestId: string; request: { url: string } }) => void) | undefined;

  private constructor(page: Page, world: World, cdp: CDPSession) {
    this.page = page;
    this.world = world;
    this.#cdp = cdp;
    this.refusals = new Refusals(world);
  }

  static async arrive(browser: Browser, world: World): Promise<Visitor> {
    const context = await browser.newContext({ locale: "en-GB" });
    // Providers' own pages ask for fonts elsewhere.
    await context.route((url) => url.hostname !== "localhost", (route) => route.abort());
    const page = await context.newPage();
    return new Visitor(page, world, await context.newCDPSession(page));
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** Asks for a page of the portal, and ends wherever that leads. */
  async open(path = "/") {
    await this.page.goto(this.world.portal + path);
  }

  /** Changes what the browser asks for at this path of whatever host, unseen by both ends. */
  async rewrite(path: string, change: (url: URL) => void) {
    await this.#intercept(path, async (id, url) => {
      change(url);
      await this.#cdp.send("Fetch.continueRequest", { requestId: id, url: url.href });
    });
  }

  /** Lets this through no more, and gives what the browser would have asked for. */
  async steal(path: string): Promise<{ url: Promise<URL> }> {
    let told: (url: URL) => void;
    const url = new Promise<URL>((tell) => (told = tell));
    await this.#intercept(path, async (id, stolen) => {
      await this.#cdp.send("Fetch.failRequest", { requestId: id, errorReason: "Aborted" });
      told(stolen);
    });
    return { url };
  }

  async #intercept(path: string, act: (id: string, url: URL) => Promise<void>) {
    if (this.#act) this.#cdp.off("Fetch.requestPaused", this.#act);
    this.#act = (event) => void act(event.requestId, new URL(event.request.url));
    this.#cdp.on("Fetch.requestPaused", this.#act);
    await this.#cdp.send("Fetch.enable", { patterns: [{ urlPattern: `*${path}?*` }] });
  }

  /** Meddles no more. */
  async relent() {
    await this.#cdp.send("Fetch.disable");
  }

  /** This person is in, by that name. */
  async expectIn(name: string) {
    await expect(this.page.getByRole("banner").getByRole("button", { name })).toBeVisible();
    expect(await this.#statusOfMine()).toBe(200);
  }

  /** Belay's own pages are as closed as ever. */
  async expectOutside() {
    expect(await this.#statusOfMine()).toBe(303);
  }

  /** The sign-in that just ended was refused with this code and for this reason, and nobody is in. */
  async expectRefused(code: string, why: RegExp | string) {
    // It stands still there: a page that went back to the provider by itself could go round for ever.
    await expect(this.page).toHaveURL(/\/auth\/callback\?/);
    await expect(this.page.getByRole("link", { name: /sign in|again/i }).first()).toBeVisible();
    await this.refusals.expect(code, why);
    await this.expectOutside();
  }

  async #statusOfMine(): Promise<number> {
    return (await this.context.request.get(`${this.world.portal}/mine`, { maxRedirects: 0 })).status();
  }
}
