// What nobody promised is taken away by itself, up to a few; more than that waits for an admin.

import { judge } from "../judge.ts";
import { expect, type Person, type Target, test } from "../journey.ts";
import { anHourLater, assignByHand, assigned } from "../organisation.ts";
import { unlimited } from "../world.ts";

const desk = { viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true } as const;
const phone = { viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false } as const;

const payments: Target = { account: "111122223333", accountName: "Payments Production", permissionSet: "AdministratorAccess" };
const strangers = ["mia.novak", "carla.rossi"];

// A look at everything takes a second, and what two looks have shown is known.
test.use({
  setting: { sandbox: unlimited, belay: { BELAY_SWEEP: "enforce", BELAY_SWEEP_GRACE: "0s", BELAY_AWS_RATE: "500" } },
});

/** One look after another, until the page says that. */
async function looksUntil(admin: Person, said: string) {
  await expect(async () => {
    await anHourLater(admin.world);
    await expect(async () => {
      await admin.open("/findings");
      await expect(admin.page.getByRole("main")).toContainText(said, { timeout: 500 });
    }).toPass({ timeout: 10_000 });
  }).toPass({ timeout: 120_000 });
}

test("more than a few at once are not taken away before an admin has seen the list", async ({ person, world }) => {
  test.setTimeout(300_000);
  const grace = await person("grace.chen", phone);
  const keiko = await person("keiko.tanaka", desk);
  const hugo = await person("hugo.martin", desk);

  // Two admins agree on what was there before.
  await looksUntil(grace, "Propose a baseline");
  await judge(grace, "phone-dark-sweep-enforce-no-baseline", false);
  await grace.page.getByText("Propose a baseline").click();
  await grace.page.locator("#baseline-why").fill("All of it was there before Belay");
  await grace.page.getByRole("button", { name: "Propose this baseline" }).click();
  await keiko.open("/findings");
  await keiko.page.getByRole("button", { name: "Agree to this baseline" }).click();
  await expect(keiko.page.getByText("What comes later may be swept.")).toBeVisible();
  await judge(keiko, "desk-light-sweep-enforce-idle");

  // Keiko writes about one of the new ones while the looks go on.
  for (const stranger of strangers) await assignByHand(world, stranger, payments);
  const mia = keiko.page.locator("article[id]").filter({ hasText: "Mia Novak" });
  await expect(async () => {
    await anHourLater(world);
    await expect(mia).toBeVisible({ timeout: 10_000 });
  }).toPass({ timeout: 60_000 });
  await mia.getByText("Leave it for a while").click();
  await mia.getByLabel("Why may it stay?").fill("She is on call th");
  await looksUntil(grace, "2 assignments would go, and a pass takes 1 away by itself");
  const next = grace.page.locator("#sweep-next");
  await expect(next.getByRole("listitem")).toHaveCount(2);
  await expect(next).toContainText("Mia Novak");
  await judge(grace, "phone-dark-sweep-waits", false);
  for (const stranger of strangers) expect(await assigned(world, stranger, payments)).toBe(true);

  // An auditor sees the list, and can let nothing go.
  await hugo.open("/findings");
  await expect(hugo.page.locator("#sweep-next")).toContainText("Carla Rossi");
  await expect(hugo.page.getByRole("button", { name: "Take all 2 away" })).toHaveCount(0);
  await judge(hugo, "desk-light-sweep-waits-auditor");

  // Her page has followed, and what she wrote is still there.
  await expect(mia).toContainText("waits for an admin to confirm the list");
  await expect(mia.getByLabel("Why may it stay?")).toHaveValue("She is on call th");
  await judge(keiko, "desk-light-sweep-waits");
  await keiko.page.getByRole("button", { name: "Take all 2 away" }).click();
  await expect(keiko.page.locator("#sweep-next")).toContainText("the pass that begins now takes 2 assignments away");
  await judge(keiko, "desk-light-sweep-confirmed");

  // Nobody need wait an hour for what they have just confirmed, and the page follows by itself.
  await expect(keiko.page.locator("#sweep-next")).toContainText("The next pass takes nothing away", { timeout: 60_000 });
  for (const stranger of strangers) await expect.poll(() => assigned(world, stranger, payments), { timeout: 30_000 }).toBe(false);
  await expect(mia).toHaveCount(0, { timeout: 30_000 });
  await judge(keiko, "desk-light-sweep-done");
});
