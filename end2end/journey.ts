// What journeys are written with: a world, people in browsers of their own, and a guard that fails a
// journey on anything a browser's console calls an error.

import { type Browser, type BrowserContextOptions, type Page, expect, test as base } from "@playwright/test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Setting, World } from "./world.ts";

export { expect };

const screenshots = fileURLToPath(new URL("./screenshots", import.meta.url));

export type Target = { account: string; accountName: string; permissionSet: string };

/** What the first loop is for: 20 s are on offer here, and Security approves. */
export const paymentsRead: Target = {
  account: "111122223333",
  accountName: "Payments Production",
  permissionSet: "ReadOnlyAccess",
};

/** One person at one browser: cookies and consoles are not shared. */
export class Person {
  readonly page: Page;
  readonly userName: string;
  readonly world: World;
  #errors: string[] = [];
  #expected: RegExp[] = [];
  #isAlive = false;

  constructor(page: Page, userName: string, world: World) {
    this.page = page;
    this.userName = userName;
    this.world = world;
    page.on("console", (message) => {
      if (message.type() === "error") this.#errors.push(`${message.text()} (${message.location().url})`);
    });
    page.on("request", (request) => {
      if (request.isNavigationRequest() && request.frame() === page.mainFrame()) this.#isAlive = false;
      if (new URL(request.url()).pathname === "/live") this.#isAlive = true;
    });
    page.on("pageerror", (error) => this.#errors.push(`uncaught: ${error.stack ?? error.message}`));
  }

  /** `ana.silva` is `Ana Silva` on pages. */
  get name(): string {
    return this.userName.replace(/(^|\.)(\w)/g, (_, dot: string, first: string) => (dot ? " " : "") + first.toUpperCase());
  }

  /** The browser itself reports a refused page as an error of its console: this status is meant. */
  expectRefusal(status: number) {
    this.#expected.push(new RegExp(`the server responded with a status of ${status} `));
  }

  /** While a server is down, what the page tries in vain is in the console too. */
  expectOutage() {
    this.#expected.push(/net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/);
  }

  /** Whatever the console held against the page, less what was expected. */
  get errors(): string[] {
    return this.#errors.filter((error) => !this.#expected.some((it) => it.test(error)));
  }

  /**
   * Waits until the browser's half has taken over: the last thing it does is to open the live stream.
   * Before that, a click is a form sent the plain way.
   */
  async alive() {
    await expect.poll(() => this.#isAlive, { message: "the browser's half takes over" }).toBe(true);
  }

  /** Opens one of our pages by its path, signing in on the way if the portal asks. */
  async open(path: string) {
    await this.page.goto(this.world.portal + path);
    if (this.page.url().startsWith(this.world.oidc)) {
      await this.page.locator(`button[name=person][value="${this.userName}"]`).click();
      await this.page.waitForURL((url) => url.origin === this.world.portal && !url.pathname.startsWith("/auth/"));
    }
  }

  /** Asks for access on the page of that target, and ends on the page of the request. */
  async ask(target: Target, seconds: number, reason: string) {
    await this.open(`/access/${target.account}/${target.permissionSet}`);
    await this.page.locator(`input[name=duration][value="${seconds}"]`).check({ force: true });
    await this.page.getByLabel("Why do you need it?").fill(reason);
    await this.page.getByRole("button", { name: /^(Ask for|Get) access$/ }).click();
    await this.page.waitForURL(/\/requests\/[^/]+$/);
    return this.requestId;
  }

  /** Opens the menu behind one's own name. */
  async openMenu() {
    await this.page.getByRole("banner").getByRole("button", { name: this.name }).click();
  }

  /** The request whose page this is. */
  get requestId(): string {
    return new URL(this.page.url()).pathname.replace("/requests/", "");
  }

  /** The state in the head of a request's page. */
  get state() {
    return this.page.locator(".head-state .pill");
  }

  /** A form of ours, sent as its page would send it but with fields of our choosing. */
  async forge(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    return this.page.request.post(this.world.portal + path, {
      form: fields,
      headers: { origin: this.world.portal, ...headers },
      maxRedirects: 0,
    });
  }

  async screenshot(name: string) {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true, animations: "disabled" });
  }
}

type Invite = (userName: string, options?: BrowserContextOptions) => Promise<Person>;

async function invite(browser: Browser, world: World, userName: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  return new Person(await context.newPage(), userName, world);
}

/** `setting` is what a journey's world has that others do not, by `test.use`. */
export const test = base.extend<{ person: Invite; setting: Setting; world: World }>({
  setting: [{}, { option: true }],
  world: [
    async ({ setting }, use, info) => {
      const world = await World.begin(setting);
      await use(world);
      if (info.status !== info.expectedStatus) {
        // Beside the picture and the trace.
        for (const [name, text] of Object.entries(world.logs)) writeFileSync(info.outputPath(name), text);
      }
      await world.end();
    },
    { timeout: 180_000 },
  ],
  person: async ({ browser, world }, use) => {
    const people: Person[] = [];
    await use(async (userName, options) => {
      const person = await invite(browser, world, userName, options);
      people.push(person);
      return person;
    });
    for (const person of people) {
      expect.soft(person.errors, `console of ${person.userName}`).toEqual([]);
      await person.page.context().close();
    }
  },
});
