// Finding what one may ask for: as one types, by keys alone, and with script off; what was asked for before; and a
// large organisation, of which no page has all.

import { judge } from "../judge.ts";
import { expect, type Person, paymentsRead, test } from "../journey.ts";
import { unlimited } from "../world.ts";

const desk = { viewport: { width: 1280, height: 800 }, colorScheme: "light" } as const;
const phone = { viewport: { width: 360, height: 740 }, colorScheme: "dark" } as const;

const rows = (person: Person) => person.page.locator("main .offer-link");
const field = (person: Person) => person.page.getByRole("searchbox");

for (const [name, look] of Object.entries({ "desk-light": desk, "phone-dark": phone })) {
  test(`what is typed narrows the page at once, and what is found is said: ${name}`, async ({ person }) => {
    const ana = await person("ana.silva", look);
    await ana.open("/");
    await ana.alive();
    const all = await rows(ana).count();
    await field(ana).fill("PAYMENTS prod rea");
    // The account itself stands before a group that gives something in it.
    await expect(rows(ana)).toHaveCount(2);
    await expect(rows(ana).first()).toHaveAttribute("href", "/access/111122223333/ReadOnlyAccess");
    await expect(ana.page.getByRole("status").filter({ hasText: "2 matches, best first" })).toBeAttached();
    await expect(ana.page).toHaveURL(/\/\?q=PAYMENTS%20prod%20rea$/);
    await judge(ana, `${name}-access-found`);

    await field(ana).fill("no such thing");
    await expect(ana.page.locator(".empty-title")).toHaveText("Nothing matches");
    await expect(ana.page.getByRole("status").filter({ hasText: "Nothing matches" })).toBeAttached();
    await judge(ana, `${name}-access-nothing`);

    // The account whose number is typed stands first, and what was looked for is there again on coming back.
    await field(ana).fill("2222-3333-4444");
    await expect(rows(ana).first()).toHaveAttribute("href", /^\/access\/222233334444\//);
    await rows(ana).first().click();
    await expect(ana.page).toHaveURL(/\/access\/222233334444\//);
    await ana.page.goBack();
    await expect(field(ana)).toHaveValue("2222-3333-4444");
    await expect(rows(ana).first()).toHaveAttribute("href", /^\/access\/222233334444\//);
    // The navigation leads back to everything.
    await ana.page.getByRole("link", { name: "Access", exact: true }).click();
    await expect(field(ana)).toHaveValue("");
    await expect(rows(ana)).toHaveCount(all);
  });
}

test("keys alone lead from anywhere on the page to a form", async ({ person }) => {
  const ana = await person("ana.silva", desk);
  const { keyboard } = ana.page;
  await ana.open("/");
  await ana.alive();
  const all = await rows(ana).count();
  await keyboard.press("/");
  await expect(field(ana)).toBeFocused();
  await keyboard.type("production");
  await expect(rows(ana)).not.toHaveCount(all);
  await keyboard.press("ArrowDown");
  await expect(rows(ana).nth(0)).toBeFocused();
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown");
  await expect(rows(ana).nth(2)).toBeFocused();
  await keyboard.press("ArrowUp");
  await expect(rows(ana).nth(1)).toBeFocused();
  await keyboard.press("End");
  await expect(rows(ana).last()).toBeFocused();
  await keyboard.press("ArrowDown");
  await expect(rows(ana).last()).toBeFocused();
  await keyboard.press("Home");
  await keyboard.press("ArrowUp");
  await expect(field(ana)).toBeFocused();

  // Escape forgets what was looked for, from wherever one is.
  await keyboard.press("ArrowDown");
  await keyboard.press("Escape");
  await expect(field(ana)).toBeFocused();
  await expect(field(ana)).toHaveValue("");
  await expect(rows(ana)).toHaveCount(all);

  // A slash is a slash where one writes.
  await keyboard.type("a/b");
  await expect(field(ana)).toHaveValue("a/b");
  await keyboard.press("Escape");

  await keyboard.type("111122223333 read");
  await keyboard.press("Enter");
  await expect(ana.page).toHaveURL(/\/access\/111122223333\/ReadOnlyAccess$/);
  await ana.page.goBack();
  await expect(rows(ana).first()).toContainText("ReadOnlyAccess");
  await field(ana).focus();
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(ana.page).toHaveURL(/\/access\/111122223333\/ReadOnlyAccess$/);
});

test("a search is a plain form, with script off", async ({ person }) => {
  const ana = await person("ana.silva", { ...phone, javaScriptEnabled: false });
  await ana.open("/");
  await field(ana).fill("payments READ");
  await field(ana).press("Enter");
  await expect(ana.page).toHaveURL(/\/\?q=payments(\+|%20)READ$/);
  await expect(field(ana)).toHaveValue("payments READ");
  await expect(rows(ana)).not.toHaveCount(0);
  for (const row of await rows(ana).all()) await expect(row).toContainText("ReadOnlyAccess");
  await rows(ana).first().click();
  await expect(ana.page.getByLabel("Why do you need it?")).toBeVisible();
});

test("what one asked for stands on top, a click away from a form with its words", async ({ person }) => {
  const ana = await person("ana.silva", desk);
  const emma = await person("emma.lindqvist", desk);
  await ana.open("/");
  await expect(ana.page.getByRole("heading", { name: "Asked for lately" })).toHaveCount(0);
  await ana.ask(paymentsRead, 900, "INC-4711: settlement batch is stuck");
  // It waits for an answer: asking again would be refused.
  await ana.open("/");
  await expect(ana.page.getByRole("heading", { name: "Asked for lately" })).toHaveCount(0);
  await emma.open("/approvals");
  await emma.page.getByLabel("Note").fill("Use the report instead");
  await emma.page.getByRole("button", { name: "Deny" }).click();
  await expect(emma.page.getByText("Denied. The requester sees that, and your note.")).toBeVisible();

  const lately = ana.page.locator("section").filter({ has: ana.page.getByRole("heading", { name: "Asked for lately" }) });
  await ana.open("/");
  await expect(lately.getByRole("link")).toHaveCount(1);
  await judge(ana, "desk-light-access-lately");
  await lately.getByRole("link", { name: /ReadOnlyAccess.*Payments Production/ }).click();
  await expect(ana.page.getByLabel("Why do you need it?")).toHaveValue("INC-4711: settlement batch is stuck");
  await expect(ana.page.locator('input[name=duration][value="900"]')).toBeChecked();

  // And from My access.
  await ana.open("/mine");
  await ana.page.getByRole("link", { name: "Ask again" }).click();
  await expect(ana.page.getByLabel("Why do you need it?")).toHaveValue("INC-4711: settlement batch is stuck");
});

test.describe("in a large organisation", () => {
  // As large as the sandbox makes it in a moment; how long AWS takes is of no interest here.
  test.use({ setting: { sandbox: ["--accounts", "400", "--permission-sets", "40", ...unlimited] } });

  test("no page has all of it, each is asked of the server, and an older answer never stands for a newer", async ({ person }) => {
    const emma = await person("emma.lindqvist", desk);
    const { page } = emma;
    await emma.open("/");
    await emma.alive();
    await expect(page.getByText(/\d+ offers, page 1 of \d+/)).toBeVisible();
    expect((await page.content()).length).toBeLessThan(200_000);
    await judge(emma, "desk-light-access-large");
    await page.getByRole("link", { name: "Next" }).click();
    await expect(page).toHaveURL(/\/\?page=2$/);
    await expect(page.getByText(/page 2 of/)).toBeVisible();

    // The first answer comes late: what was typed since has the last word.
    const asked: string[] = [];
    await page.route("**/api/ui/access?**", async (route) => {
      asked.push(new URL(route.request().url()).searchParams.get("filter[q]") ?? "");
      if (asked.length === 1) await new Promise((done) => setTimeout(done, 1_500));
      await route.continue();
    });
    await field(emma).fill("production");
    await expect.poll(() => asked).toEqual(["production"]);
    await field(emma).fill("111122223333");
    await page.keyboard.press("Enter");
    // Enter waits for the answer to what was typed.
    await expect(page).toHaveURL(/\/access\/111122223333\/SecurityAudit$/);
    expect(asked).toEqual(["production", "111122223333"]);
  });
});
