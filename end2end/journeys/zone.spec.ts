// Times are in the zone of who reads them, from the first byte once it is known, and what is typed is meant in it.

import { expect, paymentsRead, type Person, test } from "../journey.ts";

/** An instant as a field for date and time has it, in that zone. */
const typed = (at: Date, timeZone: string) => at.toLocaleString("sv-SE", { timeZone }).slice(0, 16).replace(" ", "T");

/** What the page's times say before any script has seen them. */
async function served(person: Person, path: string) {
  const answer = await person.page.request.get(person.world.portal + path, { headers: { accept: "text/html" } });
  expect(answer.status()).toBe(200);
  return [...(await answer.text()).matchAll(/<time [^>]*title="([^"]*)"[^>]*>(.*?)<\/time>/g)].map((it) => ({
    title: it[1] ?? "",
    said: (it[2] ?? "").replace(/<!(--.*?--)?>/g, ""),
  }));
}

/** Asks for payments in two hours, by the clock of that zone, and finds the same time on the request's page. */
async function asksByTheClockOf(person: Person, timeZone: string) {
  const { page } = person;
  const start = typed(new Date(Date.now() + 7_200_000), timeZone);
  await person.open(`/access/${paymentsRead.account}/${paymentsRead.permissionSet}`);
  await page.locator('input[name=duration][value="900"]').check({ force: true });
  await page.getByText("Begin later").click();
  // The zone stands there before anything is typed in it.
  await expect(page.getByLabel("From when?")).toHaveAccessibleDescription(new RegExp(`^A time in ${timeZone}\\.`));
  await page.getByLabel("From when?").fill(start);

  // What is refused stays as it was typed, and in its zone.
  person.expectRefusal(422);
  await page.getByLabel("Why do you need it?").fill("short");
  await page.getByRole("button", { name: "Ask for access" }).click();
  await expect(page.getByText(/Write at least 10 characters/).first()).toBeVisible();
  await expect(page.getByLabel("From when?")).toHaveValue(start);
  await expect(page.getByLabel("From when?")).toHaveAccessibleDescription(new RegExp(`^A time in ${timeZone}\\.`));

  await page.getByLabel("Why do you need it?").fill("Reading the settlement report");
  await page.getByRole("button", { name: "Ask for access" }).click();
  await page.waitForURL(/\/requests\/[^/]+$/);
  const begins = page.locator("time", { hasText: start.slice(11) }).first();
  await expect(begins).toBeVisible();
  await expect(begins).toHaveAttribute("title", / UTC$/);
  const instant = (await begins.getAttribute("datetime")) ?? "";
  expect(typed(new Date(instant), timeZone)).toBe(start);
}

test("the browser's zone is kept, and pages come in it", async ({ person, world }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  await ana.alive();
  await expect(async () => {
    const kept = await ana.page.context().cookies(world.portal);
    const zone = kept.find((cookie) => cookie.name === "zone");
    expect(zone).toMatchObject({ value: "Europe/Berlin", path: "/", sameSite: "Lax", httpOnly: false });
    expect(zone?.secure).toBe(world.portal.startsWith("https:"));
    // Most of a year, whatever a browser grants.
    expect(zone?.expires).toBeGreaterThan(Date.now() / 1_000 + 300 * 86_400);
  }).toPass({ timeout: 15_000 });
  const times = await served(ana, "/");
  expect(times.length).toBeGreaterThan(0);
  for (const { said, title } of times) {
    expect(said).not.toContain("UTC");
    expect(title).toMatch(/ UTC$/);
  }
  // The browser says what the server did.
  await ana.page.reload();
  await ana.alive();
  await expect(ana.page.locator("main time").first()).toHaveText(/^\d\d:\d\d (today|yesterday)$/);
});

test("a later start is typed by one's own clock", async ({ person }) => {
  await asksByTheClockOf(await person("ana.silva"), "Europe/Berlin");
});

test("a later start is typed by one's own clock, with script off", async ({ person, world }) => {
  const ana = await person("ana.silva", { javaScriptEnabled: false });
  await ana.page.context().addCookies([{ name: "zone", value: "Asia/Kolkata", url: world.portal }]);
  await asksByTheClockOf(ana, "Asia/Kolkata");
  await expect(ana.page.locator("main time").filter({ hasText: "UTC" })).toHaveCount(0);
});

test("without a zone a later start is in UTC, with script off", async ({ person }) => {
  await asksByTheClockOf(await person("ana.silva", { javaScriptEnabled: false }), "UTC");
});
