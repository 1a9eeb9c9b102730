// Break-glass, whole: in at once after signing in again, signed or rejected afterwards, closed and opened
// again. Without script on a phone in the dark and with script at a desk: every act is a plain form.

import { expect, type Person, type Target, test } from "../journey.ts";
import { assigned } from "../organisation.ts";

const admin: Target = { account: "111122223333", accountName: "Payments Production", permissionSet: "AdministratorAccess" };
const other: Target = { account: "222233334444", accountName: "Orders Production", permissionSet: "AdministratorAccess" };

const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false },
] as const;

async function fits(person: Person, name: string) {
  const overflow = await person.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${name} is wider than its window`).toBeLessThanOrEqual(0);
  await person.screenshot(name);
}

/** Fills in the form and presses its own button: the first time that leads through the provider. */
async function goesIn(person: Person, target: Target, reason: string, look: string) {
  const { page } = person;
  await person.open(`/access/${target.account}/${target.permissionSet}`);
  await page.getByText("Break glass: go in now, explain afterwards").click();
  await page.getByLabel("Why do you need it?").fill(reason);
  await page.getByLabel("to confirm").fill("yes");
  person.expectRefusal(422);
  await page.getByRole("button", { name: "Sign in again to break glass" }).click();
  await expect(page.getByText("Type exactly what is asked for")).toBeVisible();
  await page.getByLabel("to confirm").fill("break glass");
  await fits(person, `${look}-break-glass-form`);
  await page.getByRole("button", { name: "Sign in again to break glass" }).click();
  await page.locator(`button[name=person][value="${person.userName}"]`).click();
  await expect(page.getByText("You have signed in again.")).toBeVisible();
  await expect(page.getByLabel("Why do you need it?")).toHaveValue(reason);
  await page.getByRole("button", { name: "Break glass", exact: true }).click();
  await page.waitForURL(/\/requests\/[^/]+$/);
  return person.requestId;
}

for (const look of looks) {
  test(`whoever breaks glass is in at once and answers for it: ${look.name}`, async ({ person, world }) => {
    const { name, ...options } = look;
    const ben = await person("ben.okafor", options);
    const emma = await person("emma.lindqvist", options);
    const grace = await person("grace.chen", options);

    const first = await goesIn(ben, admin, "INC-7: payments are down and nobody answers", name);
    await expect(ben.page.getByText("Break-glass, not signed yet")).toBeVisible();
    await expect.poll(() => assigned(world, "ben.okafor", admin), { timeout: 30_000 }).toBe(true);
    await fits(ben, `${name}-break-glass-unsigned`);

    // Not again while nobody has signed.
    await ben.open(`/access/${other.account}/${other.permissionSet}`);
    await ben.page.getByText("Break glass: go in now, explain afterwards").click();
    await expect(ben.page.getByText("has to be signed before you can do this again")).toBeVisible();
    await expect(ben.page.getByRole("button", { name: /break glass/i })).toHaveCount(0);

    await emma.open("/approvals");
    await expect(emma.page.getByRole("heading", { name: "To sign" })).toBeVisible();
    await fits(emma, `${name}-to-sign`);
    await emma.page.getByLabel("Note").fill("Saw the outage, right to go in");
    await emma.page.getByRole("button", { name: "Sign", exact: true }).click();
    await expect(emma.page.getByText("Signed, with your name on it.")).toBeVisible();
    await expect(emma.page.getByRole("heading", { name: "To sign" })).toHaveCount(0);
    await ben.open(`/requests/${first}`);
    await expect(ben.page.getByText("Break-glass, signed afterwards")).toBeVisible();
    await fits(ben, `${name}-break-glass-signed`);

    // The next one is rejected: it ends at once, and there is no other.
    const second = await goesIn(ben, other, "INC-8: just a feeling, to be honest", name);
    await expect.poll(() => assigned(world, "ben.okafor", other), { timeout: 30_000 }).toBe(true);
    await emma.open(`/requests/${second}`);
    await emma.page.getByLabel("Note").fill("No incident at all");
    await emma.page.getByRole("button", { name: "Reject and end it" }).click();
    await expect(emma.page.getByText("Rejected: the access ends now")).toBeVisible();
    await expect.poll(() => assigned(world, "ben.okafor", other), { timeout: 30_000 }).toBe(false);
    expect(await assigned(world, "ben.okafor", admin)).toBe(true);
    await ben.open(`/access/${admin.account}/${admin.permissionSet}`);
    await ben.page.getByText("Break glass: go in now, explain afterwards").click();
    await expect(ben.page.getByText("closed for you until an admin opens it again")).toBeVisible();
    await fits(ben, `${name}-break-glass-closed`);

    await grace.open(`/requests/${second}`);
    await fits(grace, `${name}-break-glass-reopen`);
    await grace.page.getByLabel("Why may they again?").fill("We talked about it");
    await grace.page.getByRole("button", { name: "Open break-glass again" }).click();
    await expect(grace.page.getByText("Break-glass is open for this person again.")).toBeVisible();
    await ben.open(`/access/${admin.account}/${admin.permissionSet}`);
    await ben.page.getByText("Break glass: go in now, explain afterwards").click();
    await expect(ben.page.getByRole("button", { name: "Sign in again to break glass" })).toBeVisible();
  });
}
