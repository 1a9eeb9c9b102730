// What people see while there is nothing to see yet, or nothing to be had: each says what to do next.

import { judge } from "../judge.ts";
import { expect, test } from "../journey.ts";
import { fault } from "../organisation.ts";

const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

for (const { name, ...options } of looks) {
  test(`what cannot be shown says why, and what to do next: ${name}`, async ({ person, world }) => {
    const ana = await person("ana.silva", options);
    const { page } = ana;
    await ana.open("/");
    await ana.alive();

    // On its way: the page is there before what it shows.
    let arrive = () => {};
    const arrived = new Promise<void>((done) => (arrive = done));
    await page.route("**/api/ui/mine*", async (route) => {
      await arrived;
      await route.continue();
    });
    await page.getByRole("link", { name: "My access" }).click();
    await expect(page.locator("[aria-busy=true]")).toBeVisible();
    await judge(ana, `${name}-loading`);
    arrive();
    await expect(page.getByText("You hold no temporary access")).toBeVisible();
    await page.unroute("**/api/ui/mine*");

    ana.expectRefusal(403);
    expect((await page.goto(`${world.portal}/history`))?.status()).toBe(403);
    await expect(page.getByRole("link", { name: "See what you may ask for" })).toBeVisible();
    await judge(ana, `${name}-not-allowed`);

    // A part is out of reach: the page says so, and works again once it is back.
    ana.expectRefusal(503);
    const lift = await fault(world, "dynamodb:Query", "InternalServerError");
    expect((await page.goto(`${world.portal}/mine`))?.status()).toBe(503);
    await expect(page.getByRole("link", { name: "Try again" })).toBeVisible();
    await judge(ana, `${name}-unavailable`);
    await lift();
    await expect(async () => {
      await page.getByRole("link", { name: "Try again" }).click();
      await expect(page.getByText("You hold no temporary access")).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 30_000 });
  });
}
