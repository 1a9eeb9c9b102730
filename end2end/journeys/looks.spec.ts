// Each page at each width and in each colour, pairwise with script on and off: nothing overflows,
// nothing fails an accessibility rule that a machine can judge, and a picture is kept for people.

import { judge } from "../judge.ts";
import { expect, type Person, paymentsRead, test } from "../journey.ts";

const desk = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

// Every pair of values appears in one of these four; the full product would be eight.
const looks = [
  { name: "desk-light", viewport: desk, colorScheme: "light", javaScriptEnabled: true },
  { name: "desk-dark", viewport: desk, colorScheme: "dark", javaScriptEnabled: false },
  { name: "phone-light", viewport: phone, colorScheme: "light", javaScriptEnabled: false },
  { name: "phone-dark", viewport: phone, colorScheme: "dark", javaScriptEnabled: true },
] as const;

/** In at once: through the provider, and back to the form for the last word. */
async function breaksGlass(person: Person, name: string, scripted: boolean) {
  const { page } = person;
  await person.open("/access/111122223333/AdministratorAccess");
  await page.getByText("Break glass: go in now, explain afterwards").click();
  await page.getByLabel("Why do you need it?").fill("INC-7: payments are down and nobody answers");
  await page.getByLabel("to confirm").fill("break glass");
  await judge(person, `${name}-break-glass`, scripted);
  await page.getByRole("button", { name: "Sign in again to break glass" }).click();
  await page.locator(`button[name=person][value="${person.userName}"]`).click();
  await page.getByRole("button", { name: "Break glass", exact: true }).click();
  await page.waitForURL(/\/requests\/[^/]+$/);
}

for (const look of looks) {
  test(`every page holds up: ${look.name}, script ${look.javaScriptEnabled ? "on" : "off"}`, async ({ person }) => {
    const { name, ...options } = look;
    const ana = await person("ana.silva", options);
    const emma = await person("emma.lindqvist", options);
    const hugo = await person("hugo.martin", options);

    await ana.open("/");
    await judge(ana, `${name}-access`, look.javaScriptEnabled);
    await ana.open("/mine");
    await judge(ana, `${name}-mine-empty`, look.javaScriptEnabled);
    await ana.open("/access/111122223333/ReadOnlyAccess");
    await judge(ana, `${name}-ask`, look.javaScriptEnabled);
    await ana.page.getByLabel("Why do you need it?").fill("short");
    ana.expectRefusal(422);
    await ana.page.getByRole("button", { name: "Ask for access" }).click();
    await expect(ana.page.getByText(/Write at least/)).toBeVisible();
    await judge(ana, `${name}-ask-refused`, look.javaScriptEnabled);
    const id = await ana.ask(paymentsRead, 900, "INC-4711: settlement batch is stuck, reading its logs");
    await judge(ana, `${name}-request-pending`, look.javaScriptEnabled);

    await emma.open("/approvals");
    await expect(emma.page.getByRole("article")).toHaveCount(1);
    await judge(emma, `${name}-approvals`, look.javaScriptEnabled);
    await emma.page.getByRole("button", { name: "Approve" }).click();
    await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
    await judge(emma, `${name}-approvals-empty`, look.javaScriptEnabled);

    await expect(async () => {
      await ana.open(`/requests/${id}`);
      await expect(ana.state).toHaveText("Active", { timeout: 500 });
    }).toPass({ timeout: 30_000 });
    await judge(ana, `${name}-request-active`, look.javaScriptEnabled);
    await ana.open("/mine");
    await judge(ana, `${name}-mine`, look.javaScriptEnabled);

    await hugo.open("/history");
    await expect(hugo.page.getByRole("row")).not.toHaveCount(0);
    await judge(hugo, `${name}-history`, look.javaScriptEnabled);
    await hugo.page.goto(`${hugo.world.portal}/signed-out`);
    await judge(hugo, `${name}-signed-out`, look.javaScriptEnabled);
    hugo.expectRefusal(404);
    await hugo.page.goto(`${hugo.world.portal}/no/such/page`);
    await judge(hugo, `${name}-not-found`, look.javaScriptEnabled);
  });

  test(`break-glass and findings hold up: ${look.name}, script ${look.javaScriptEnabled ? "on" : "off"}`, async ({ person }) => {
    const { name, ...options } = look;
    const emma = await person("emma.lindqvist", options);
    const hugo = await person("hugo.martin", options);
    const ben = await person("ben.okafor", options);
    await breaksGlass(ben, name, look.javaScriptEnabled);
    await expect(ben.page.getByText("Break-glass, not signed yet")).toBeVisible();
    await judge(ben, `${name}-break-glass-request`, look.javaScriptEnabled);
    await expect(async () => {
      await ben.open("/mine");
      await expect(ben.page.getByRole("timer")).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 30_000 });
    // Still there among what is held, whoever looks at it later.
    await expect(ben.page.getByRole("article").getByText("Break-glass", { exact: true })).toBeVisible();
    await ben.page.getByText("Use it with the AWS CLI").click();
    await expect(ben.page.locator("pre")).toContainText("sso_account_id = 111122223333");
    const copy = ben.page.getByRole("button", { name: "Copy" });
    if (look.javaScriptEnabled) {
      await copy.press("Enter");
      await expect(ben.page.getByRole("status").filter({ hasText: "Copied" })).toBeVisible();
    } else {
      await expect(copy).toHaveCount(0);
    }
    await judge(ben, `${name}-break-glass-mine`, look.javaScriptEnabled);
    await emma.open("/approvals");
    await expect(emma.page.getByRole("heading", { name: "To sign" })).toBeVisible();
    await judge(emma, `${name}-break-glass-to-sign`, look.javaScriptEnabled);

    await hugo.open("/findings");
    await expect(hugo.page.getByRole("heading", { level: 1 })).toHaveText("Findings");
    await judge(hugo, `${name}-findings`, look.javaScriptEnabled);
  });
}
