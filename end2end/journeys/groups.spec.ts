// Membership of a group, whole: found, asked for with an account beside it, approved, and taken away.
// Without script on a phone in the dark and with script at a desk: every act is a plain form.

import { expect, type Person, test } from "../journey.ts";

const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false },
] as const;

async function fits(person: Person, name: string) {
  const overflow = await person.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${name} is wider than its window`).toBeLessThanOrEqual(0);
  await person.screenshot(name);
}

for (const look of looks) {
  test(`a group is joined for a while: ${look.name}`, async ({ person }) => {
    const { name, ...options } = look;
    const ana = await person("ana.silva", options);
    const emma = await person("emma.lindqvist", options);

    await ana.open("/");
    const groups = ana.page.locator("section").filter({ has: ana.page.getByRole("heading", { name: "Groups" }) });
    await expect(groups).toContainText("SecurityAudit in Payments Production");
    await fits(ana, `${name}-groups-access`);
    await groups.getByRole("link", { name: /Incident Response/ }).click();
    await expect(ana.page.getByRole("heading", { level: 1 })).toHaveText("Membership of Incident Response");
    const about = ana.page.getByRole("complementary", { name: "About this access" });
    await expect(about).toContainText("ReadOnlyAccess in Orders Production");
    await expect(about).toContainText("up to 12 hours");
    await ana.page.getByText("20 seconds", { exact: true }).click();
    await ana.page.getByLabel("Why do you need it?").fill("INC-8: follow the incident");
    await fits(ana, `${name}-groups-form`);
    await ana.page.getByRole("button", { name: "Ask for access" }).click();
    await ana.page.waitForURL(/\/requests\/[^/]+$/);
    await fits(ana, `${name}-groups-pending`);
    const path = `/requests/${ana.requestId}`;

    // Whoever approves it sees what it gives.
    await emma.open("/approvals");
    const card = emma.page.getByRole("article").filter({ hasText: "Ana Silva" });
    await expect(card).toContainText("Membership of Incident Response");
    await expect(card).toContainText("ReadOnlyAccess in Data Lake Production");
    await fits(emma, `${name}-groups-approvals`);
    await card.getByRole("button", { name: "Approve" }).click();
    await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();

    await expect(async () => {
      await ana.open("/mine");
      await expect(ana.page.getByRole("timer")).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 30_000 });
    await fits(ana, `${name}-groups-mine`);

    // It ends by itself, and the receipt says what is gone.
    await expect(async () => {
      await ana.open(path);
      await expect(ana.state).toHaveText("Ended", { timeout: 500 });
    }).toPass({ timeout: 60_000 });
    await expect(ana.page.locator(".receipt")).toContainText("AWS deleted the membership");
    await fits(ana, `${name}-groups-ended`);

    const hugo = await person("hugo.martin", options);
    await hugo.open("/history?permission_set=Incident");
    await expect(hugo.page.getByRole("row").filter({ hasText: "Membership of Incident Response" })).toBeVisible();
    await fits(hugo, `${name}-groups-history`);
  });
}
