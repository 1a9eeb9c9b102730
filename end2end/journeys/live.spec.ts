// Changes keep arriving: after a deployment behind a load balancer, after signing out and in again, and after a read
// that was lost on its way. Nobody reloads anything.

import { createServer } from "node:http";
import { judge } from "../judge.ts";
import { expect, type Person, paymentsRead, test } from "../journey.ts";
import type { World } from "../world.ts";

const unreachable = "Belay cannot be reached";
const outdated = "What you see may be out of date";
/** A pause of 16 s at the longest, after as many failures as these journeys cause. */
const back = { timeout: 45_000 };

const card = (emma: Person) => emma.page.getByRole("article").filter({ hasText: "Ana Silva" });

/** Emma at her approvals, caught up with by the stream and marked so that a reload would show. */
async function waits(emma: Person) {
  // What the stream's opening makes the page read. A read that a journey cuts off must be a later one.
  const caughtUp = ["me", "approvals"].map((read) => emma.page.waitForResponse(`**/api/ui/${read}`));
  await emma.open("/approvals");
  await emma.alive();
  await Promise.all(caughtUp);
  await emma.page.evaluate(() => document.documentElement.setAttribute("data-same", ""));
}

async function sees(emma: Person) {
  await expect(card(emma)).toBeVisible(back);
  await expect(emma.page).toHaveTitle(/^\(1\) /, back);
  await expect(emma.page.getByText(unreachable)).toHaveCount(0);
  await expect(emma.page.getByText(outdated)).toHaveCount(0);
  await expect(emma.page.locator("html[data-same]")).toHaveCount(1);
}

/** A load balancer without a server: on Belay's port, every answer is a 503. */
async function balancer(world: World) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(503, { connection: "close", "content-type": "text/html" }).end("<h1>503 Service Unavailable</h1>");
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(Number(new URL(world.portal).port), "127.0.0.1", done);
  });
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { asked, close };
}

test("a load balancer's 503 during a deployment ends nothing", async ({ person, world }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  await waits(emma);
  emma.expectOutage();
  emma.expectRefusal(503);

  await world.killBelay();
  const { asked, close } = await balancer(world);
  try {
    await expect(emma.page.getByText(unreachable)).toBeVisible({ timeout: 30_000 });
    await expect(emma.page.getByText("This cannot be brought up to date just now.")).toBeVisible();
    await expect(emma.page.getByText("Belay was updated")).toHaveCount(0);
    // A browser by itself asks once and never again.
    await expect.poll(() => asked.filter((url) => url === "/live").length, back).toBeGreaterThanOrEqual(3);
    await judge(emma, "live-unreachable");
  } finally {
    await close();
  }
  await world.startBelay();

  await ana.ask(paymentsRead, 900, "INC-1: asked after the deployment");
  await sees(emma);
});

test("who signs out and in again in another tab finds the first one alive", async ({ person }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  const { page } = emma;
  await waits(emma);

  const other = await page.context().newPage();
  await other.goto(`${emma.world.portal}/mine`);
  await other.getByRole("banner").getByRole("button", { name: emma.name }).click();
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.waitForURL((url) => url.pathname === "/signed-out");
  // A stream looks every 30 s whether its reader is still signed in, and nothing else moves here.
  await expect(page.getByText("You are signed out")).toBeVisible(back);
  await expect(page.getByText(unreachable)).toHaveCount(0);

  const popup = page.waitForEvent("popup");
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  const again = await popup;
  await again.locator(`button[name=person][value="${emma.userName}"]`).click();
  await again.waitForURL((url) => url.pathname === "/approvals");
  await again.close();
  // Playwright lets every tab believe that it has the focus all along, so that none hears of getting it back.
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await expect(page.getByText("You are signed out")).toHaveCount(0);

  await ana.ask(paymentsRead, 900, "INC-2: asked after she was back");
  await sees(emma);
});

test("a read that was lost on its way is made again", async ({ person }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  await waits(emma);
  emma.expectOutage();
  // More than once, since one thing may be told in two messages, and the second would be a second try.
  const lost = new Map<string, number>();
  await emma.page.route("**/api/ui/*", (route) => {
    const { pathname } = new URL(route.request().url());
    const before = lost.get(pathname) ?? 0;
    if (before === 3) return route.continue();
    lost.set(pathname, before + 1);
    return route.abort("connectionreset");
  });

  await ana.ask(paymentsRead, 900, "INC-3: news that does not get through at first");
  await sees(emma);
  for (const read of ["me", "approvals"]) expect(lost.get(`/api/ui/${read}`)).toBe(3);
});

test("who does not want to wait tries again, in place", async ({ person }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  const { page } = emma;
  await waits(emma);
  emma.expectOutage();
  let lost = 0;
  await page.route("**/api/ui/*", (route) => {
    if (new URL(route.request().url()).pathname === "/api/ui/approvals") lost += 1;
    return route.abort("connectionreset");
  });

  await ana.ask(paymentsRead, 900, "INC-4: news that does not get through");
  await expect(page.getByText("This cannot be brought up to date just now.")).toBeVisible();
  await judge(emma, "live-outdated");
  // By now the page itself lets 8 s pass before the next.
  await expect.poll(() => lost, back).toBeGreaterThanOrEqual(4);
  await page.unroute("**/api/ui/*");
  await page.getByRole("link", { name: "Try again" }).click();
  await expect(card(emma)).toBeVisible({ timeout: 5_000 });
  await sees(emma);
  expect(page.context().pages()).toHaveLength(1);
});
