// When access begins and ends: later than now, longer than first asked for, earlier than promised.

import { judge } from "../judge.ts";
import { expect, paymentsRead, type Person, type Target, test } from "../journey.ts";
import { assigned, calls } from "../organisation.ts";

const desk = { name: "desk-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark", javaScriptEnabled: true } as const;
const phone = { name: "phone-light", viewport: { width: 360, height: 740 }, colorScheme: "light", javaScriptEnabled: false } as const;

/** Nobody is asked here. */
const lake: Target = { account: "333344445556", accountName: "Data Lake Dev", permissionSet: "ReadOnlyAccess" };

for (const { name, ...options } of [desk, phone]) {
  const scripted = options.javaScriptEnabled;

  test(`access is extended without a gap, and ended before its time: ${name}`, async ({ person, world }) => {
    const carla = await person("carla.rossi", options);
    const { page } = carla;
    const first = await carla.ask(lake, 3600, "Checking yesterday's import");
    if (scripted) {
      // What is half written stays, and stays in sight, while the page follows.
      await carla.alive();
      await page.getByText("End it early").click();
      await page.getByLabel("Why?").fill("Perhaps I need");
      await expect(carla.state).toHaveText("Active", { timeout: 30_000 });
      await expect(page.getByLabel("Why?")).toHaveValue("Perhaps I need");
      await expect(page.getByLabel("Why?")).toBeFocused();
    }
    await expect.poll(() => assigned(world, "carla.rossi", lake), { timeout: 30_000 }).toBe(true);
    await expect(async () => {
      await carla.open(`/requests/${first}`);
      await expect(carla.state).toHaveText("Active", { timeout: 1_000 });
    }).toPass({ timeout: 30_000 });

    await carla.open("/mine");
    await judge(carla, `${name}-mine-active`, scripted);
    await page.getByRole("link", { name: /^Extend: ReadOnlyAccess in Data Lake Dev$/ }).click();
    await expect(page).toHaveURL(/\/access\/333344445556\/ReadOnlyAccess\?extend=/);
    await expect(page.getByText("This continues the access that you have")).toBeVisible();
    await judge(carla, `${name}-extend`, scripted);
    await page.locator('input[name=duration][value="14400"]').check({ force: true });
    await page.getByLabel("Why do you need it?").fill("The import takes longer than I thought");
    await page.getByRole("button", { name: "Get access" }).click();
    await page.waitForURL(/\/requests\/[^/]+$/);
    const second = carla.requestId;
    expect(second).not.toBe(first);
    await expect(page.locator(".verdict").filter({ hasText: "ends" }).or(page.getByRole("timer")).first()).toBeVisible();
    await judge(carla, `${name}-extended`, scripted);

    await carla.open("/mine");
    // The one that ends first stands first.
    await page.getByRole("link", { name: /^End early: ReadOnlyAccess in Data Lake Dev$/ }).first().click();
    await expect(page).toHaveURL(new RegExp(`/requests/${first}\\?end=`));
    await page.getByRole("group", { name: /also promised until later/ }).getByRole("checkbox").check();
    await page.getByLabel("Why?").fill("Found it already");
    await judge(carla, `${name}-end-early`, scripted);
    await page.getByRole("button", { name: "End it now" }).click();
    await expect(page.getByText("Its end is now.")).toBeVisible();
    await expect.poll(() => assigned(world, "carla.rossi", lake), { timeout: 30_000 }).toBe(false);
    for (const id of [first, second]) {
      await expect(async () => {
        await carla.open(`/requests/${id}`);
        await expect(carla.state).toHaveText("Ended", { timeout: 1_000 });
      }).toPass({ timeout: 60_000 });
    }
    await carla.open(`/requests/${first}`);
    await expect(page.locator(".receipt")).toContainText(/removed/i);
    await expect(page.getByText("Found it already").first()).toBeVisible();
    await judge(carla, `${name}-ended-early`, scripted);
  });
}

/** Asks for payments from then on, and has it approved. The zone is the one that the form says. */
async function asksFrom(begins: Date, timeZone: string, ana: Person, emma: Person) {
  const { page } = ana;
  await ana.open(`/access/${paymentsRead.account}/${paymentsRead.permissionSet}`);
  await page.locator('input[name=duration][value="900"]').check({ force: true });
  await page.getByText("Begin later").click();
  await expect(page.getByLabel("From when?")).toHaveAccessibleDescription(new RegExp(`^A time in ${timeZone}`));
  await page.getByLabel("From when?").fill(begins.toLocaleString("sv-SE", { timeZone }).replace(" ", "T"));
  await page.getByLabel("Why do you need it?").fill("INC-6: tonight's settlement, from its first minute");
  await page.getByRole("button", { name: "Ask for access" }).click();
  await page.waitForURL(/\/requests\/[^/]+$/);
  const path = `/requests/${ana.requestId}`;
  await emma.open(path);
  await emma.page.getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
  await ana.open(path);
  await expect(page.getByText(/It begins .* and ends/)).toBeVisible();
}

test("access that is asked for from later on begins by itself", async ({ person, world }) => {
  const ana = await person("ana.silva", desk);
  const emma = await person("emma.lindqvist", desk);
  // Time enough to approve it on a slow machine.
  const begins = new Date(Date.now() + 45_000);
  await asksFrom(begins, "Europe/Berlin", ana, emma);
  await ana.alive();
  await judge(ana, "desk-dark-begins-later");
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);
  await expect(ana.state).toHaveText("Active", { timeout: 75_000 });
  expect(Date.now()).toBeGreaterThanOrEqual(Math.floor(begins.getTime() / 1_000) * 1_000);
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(true);
});

test("access that has not begun can be given up, and never is", async ({ person, world }) => {
  const ana = await person("ana.silva", phone);
  const emma = await person("emma.lindqvist", phone);
  await asksFrom(new Date(Date.now() + 3_600_000), "UTC", ana, emma);
  await judge(ana, "phone-light-begins-later", false);
  await ana.page.getByText("End it early").click();
  await ana.page.getByLabel("Why?").fill("It was fixed meanwhile");
  await ana.page.getByRole("button", { name: "End it now" }).click();
  await expect(ana.page.locator(".receipt")).toContainText(/never/i);
  await judge(ana, "phone-light-never-begun", false);
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);
  expect(await calls(world, "sso-admin:CreateAccountAssignment")).toBe(0);
});
