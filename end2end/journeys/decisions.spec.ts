// How requests are answered: denied with a word on why, approved by two different people, and several
// things asked for at once, each answered by its own approvers.

import { judge } from "../judge.ts";
import { expect, paymentsRead, type Target, test } from "../journey.ts";
import { assigned } from "../organisation.ts";

const desk = { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true } as const;
const phone = { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false } as const;

const admin: Target = { account: "111122223333", accountName: "Payments Production", permissionSet: "AdministratorAccess" };
const orders: Target = { account: "222233334444", accountName: "Orders Production", permissionSet: "ReadOnlyAccess" };

for (const { name, ...options } of [desk, phone]) {
  const scripted = options.javaScriptEnabled;

  test(`a denial reaches the requester with its note: ${name}`, async ({ person, world }) => {
    const carla = await person("carla.rossi", options);
    const emma = await person("emma.lindqvist", options);
    const id = await carla.ask(paymentsRead, 900, "Curious about last month");
    if (scripted) await carla.alive();
    await emma.open("/approvals");
    const card = emma.page.getByRole("article").filter({ hasText: "Carla Rossi" });
    await card.getByLabel("Note").fill("The monthly report has this, without access");
    await card.getByRole("button", { name: "Deny" }).click();
    await expect(emma.page.getByText("Denied. The requester sees that, and your note.")).toBeVisible();
    await expect(card).toHaveCount(0);
    if (!scripted) await carla.open(`/requests/${id}`);
    await expect(carla.state).toHaveText("Denied");
    await expect(carla.page.getByText("The monthly report has this, without access").first()).toBeVisible();
    await expect(carla.page.getByRole("link", { name: "Ask again" })).toBeVisible();
    await judge(carla, `${name}-denied`, scripted);
    expect(await assigned(world, "carla.rossi", paymentsRead)).toBe(false);
  });

  test(`what takes two approvals takes two people: ${name}`, async ({ person, world }) => {
    const carla = await person("carla.rossi", options);
    const emma = await person("emma.lindqvist", options);
    const mia = await person("mia.novak", options);
    const id = await carla.ask(admin, 1800, "INC-9: the schema migration is stuck");
    if (scripted) await carla.alive();
    await expect(carla.page.getByText(/^2 approvals from/).first()).toBeVisible();

    await emma.open(`/requests/${id}`);
    await emma.page.getByLabel("Note").fill("Seen the incident");
    await emma.page.getByRole("button", { name: "Approve" }).click();
    await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
    await expect(emma.state).toHaveText("Pending");
    // Once is once, and hers may be taken back until it is decided.
    await expect(emma.page.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
    await expect(emma.page.getByRole("button", { name: "Take my approval back" })).toBeVisible();
    await judge(emma, `${name}-one-of-two`, scripted);
    emma.expectRefusal(409);
    expect((await emma.forge(`/requests/${id}`, { act: "approve" })).status()).toBe(409);

    if (!scripted) await carla.open(`/requests/${id}`);
    await expect(carla.page.getByText(/^1 of 2 approvals from/).first()).toBeVisible();
    await expect(carla.state).toHaveText("Pending");
    expect(await assigned(world, "carla.rossi", admin)).toBe(false);

    await mia.open("/approvals");
    const card = mia.page.getByRole("article").filter({ hasText: "Carla Rossi" });
    await expect(card).toContainText("1 of 2 approvals");
    await card.getByRole("button", { name: "Approve" }).click();
    await expect(mia.page.getByText("Approved, with your name on it.")).toBeVisible();
    await expect.poll(() => assigned(world, "carla.rossi", admin), { timeout: 30_000 }).toBe(true);
    await expect(async () => {
      if (!scripted) await carla.open(`/requests/${id}`);
      await expect(carla.state).toHaveText("Active", { timeout: 2_000 });
    }).toPass({ timeout: 30_000 });
    for (const approver of [emma, mia]) await expect(carla.page.getByText(approver.name).first()).toBeVisible();
  });

  test(`several things are asked for at once, and nothing is given until all of it is approved: ${name}`, async ({ person, world }) => {
    const ana = await person("ana.silva", options);
    const emma = await person("emma.lindqvist", options);
    const ben = await person("ben.okafor", options);
    const { page } = ana;
    await ana.open("/access/111122223333/ReadOnlyAccess");
    await page.locator('input[name=duration][value="900"]').check({ force: true });
    await page.getByText("Ask for more in the same request").click();
    await page.getByRole("checkbox", { name: "ReadOnlyAccess in Orders Production" }).check();
    await page.getByLabel("Why do you need it?").fill("INC-5: an order that was paid twice");
    await judge(ana, `${name}-several-ask`, scripted);
    await page.getByRole("button", { name: "Ask for access" }).click();
    await page.waitForURL(/\/requests\/[^/]+$/);
    const id = ana.requestId;
    await expect(page.getByText("Nothing of this is granted until all of it is approved.")).toBeVisible();
    const ask = (target: Target) => page.getByRole("region", { name: `${target.permissionSet} in ${target.accountName}` });
    await expect(ask(paymentsRead)).toContainText("Pending");
    await expect(ask(orders)).toContainText("Pending");

    await emma.open(`/requests/${id}`);
    await emma.page.getByRole("button", { name: "Approve" }).click();
    await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
    await ana.open(`/requests/${id}`);
    await expect(ask(paymentsRead)).toContainText("Approved. It is granted once everything else in this request is.");
    await expect(ask(orders)).toContainText("Waiting for approval");
    await judge(ana, `${name}-several-half`, scripted);
    expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);

    await ben.open(`/requests/${id}`);
    await ben.page.getByRole("button", { name: "Approve" }).click();
    await expect(ben.page.getByText("Approved, with your name on it.")).toBeVisible();
    for (const target of [paymentsRead, orders]) {
      await expect.poll(() => assigned(world, "ana.silva", target), { timeout: 30_000 }).toBe(true);
    }
    await expect(async () => {
      await ana.open(`/requests/${id}`);
      await expect(page.getByRole("timer")).toHaveCount(2, { timeout: 1_000 });
    }).toPass({ timeout: 30_000 });
    await judge(ana, `${name}-several-active`, scripted);
  });
}
