// Every act of the main job with script switched off: forms are forms.

import { expect, paymentsRead, test } from "../journey.ts";

const noScript = { javaScriptEnabled: false };

test("asking, approving and following work with script off", async ({ person }) => {
  const carla = await person("carla.rossi", noScript);
  const farid = await person("farid.haddad", noScript);

  await carla.ask(paymentsRead, 900, "Reading the settlement report");
  await expect(carla.state).toHaveText("Pending");
  const request = carla.page.url();

  await farid.open("/approvals");
  const card = farid.page.getByRole("article").filter({ hasText: "Carla Rossi" });
  await card.getByLabel("Note").fill("Fine");
  await card.getByRole("button", { name: "Approve" }).click();
  await expect(farid.page.getByText("Approved, with your name on it.")).toBeVisible();

  await expect(async () => {
    await carla.page.goto(request);
    await expect(carla.state).toHaveText("Active", { timeout: 500 });
  }).toPass({ timeout: 30_000 });
  await expect(carla.page.getByRole("link", { name: "Open console" })).toBeVisible();
});

test("a refused form keeps what was typed, with script off", async ({ person }) => {
  const carla = await person("carla.rossi", noScript);
  carla.expectRefusal(422);
  await carla.open("/access/111122223333/ReadOnlyAccess");
  await carla.page.locator('input[name=duration][value="60"]').check({ force: true });
  await carla.page.getByLabel("Why do you need it?").fill("short");
  const answer = carla.page.waitForResponse((response) => response.request().method() === "POST");
  await carla.page.getByRole("button", { name: "Ask for access" }).click();
  expect((await answer).status()).toBe(422);
  await expect(carla.page.getByLabel("Why do you need it?")).toHaveValue("short");
  await expect(carla.page.locator('input[name=duration][value="60"]')).toBeChecked();
  await expect(carla.page.getByText(/Write at least 10 characters/)).toBeVisible();
});

test("a request can be withdrawn, with script off", async ({ person }) => {
  const carla = await person("carla.rossi", noScript);
  await carla.ask(paymentsRead, 60, "On second thoughts, never mind");
  await carla.page.getByRole("button", { name: "Withdraw" }).click();
  await expect(carla.state).toHaveText("Withdrawn");
});

test("the colours can be chosen, with script off", async ({ person }) => {
  const carla = await person("carla.rossi", noScript);
  await carla.open("/mine");
  await carla.openMenu();
  await carla.page.getByRole("button", { name: "Dark" }).click();
  await expect(carla.page).toHaveURL(/\/mine$/);
  await expect(carla.page.locator("html")).toHaveAttribute("data-theme", "dark");
});
