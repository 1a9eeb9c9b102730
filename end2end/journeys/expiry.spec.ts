// A session that ends while somebody types: nothing is sent, nothing is lost, and nobody else sees it.

import { judge } from "../judge.ts";
import { expect, type Person, paymentsRead, test } from "../journey.ts";

// Every pair of values appears in one of these four.
const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "desk-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark", javaScriptEnabled: false },
  { name: "phone-light", viewport: { width: 360, height: 740 }, colorScheme: "light", javaScriptEnabled: false },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: true },
] as const;

const reason = "INC-4711: settlement batch is stuck, reading its logs";

/** In another tab, as it were, here and at the provider: the page stays as it is. */
async function signsOutElsewhere(person: Person) {
  const answer = await person.forge("/auth/sign-out", {});
  expect(answer.status()).toBe(303);
  await person.page.request.get(answer.headers()["location"] ?? "");
}

/** What the provider asks: who one is. */
async function signsIn(person: Person, userName: string) {
  await person.page.locator(`button[name=person][value="${userName}"]`).click();
}

for (const look of looks) {
  test(`what is typed outlives the session: ${look.name}, script ${look.javaScriptEnabled ? "on" : "off"}`, async ({ person }) => {
    const { name, ...options } = look;
    const ana = await person("ana.silva", options);
    const { page } = ana;
    const why = page.getByLabel("Why do you need it?");
    const also = page.getByRole("checkbox", { name: /AdministratorAccess in Payments Production/ });
    const send = page.getByRole("button", { name: "Ask for access" });

    await ana.open("/access/111122223333/ReadOnlyAccess");
    if (look.javaScriptEnabled) await ana.alive();
    await page.locator('input[name=duration][value="60"]').check({ force: true });
    await page.getByText("Begin later").click();
    await page.getByLabel("From when?").fill("2099-01-01T10:00");
    await page.getByText("Ask for more in the same request").click();
    await also.check();
    await why.fill(reason);
    await signsOutElsewhere(ana);

    if (look.javaScriptEnabled) {
      // Something moves, and the page that cannot be brought up to date says so where it is.
      const carla = await person("carla.rossi", options);
      await carla.ask(paymentsRead, 60, "The same batch, from the other side");
      await expect(page.getByText("You are signed out")).toBeVisible();
      await expect(page.getByRole("main").getByRole("link", { name: "Sign in" })).toHaveAttribute("target", "_blank");
      await expect(why).toHaveValue(reason);
      await judge(ana, `${name}-expiry-in-place`);
    }

    await send.click();
    await signsIn(ana, "ana.silva");
    await expect(page).toHaveURL(/\/access\/111122223333\/ReadOnlyAccess$/);
    await expect(page.getByRole("alert")).toContainText("You were signed out, so nothing was sent.");
    await expect(why).toHaveValue(reason);
    await expect(page.locator('input[name=duration][value="60"]')).toBeChecked();
    await expect(page.getByLabel("From when?")).toHaveValue("2099-01-01T10:00");
    await expect(also).toBeChecked();
    await judge(ana, `${name}-expiry-given-back`, look.javaScriptEnabled);
    await ana.open("/mine");
    await expect(page.locator('a[href^="/requests/"]')).toHaveCount(0);
  });
}

test("an approver's note outlives the session, and the button is theirs to press", async ({ person }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  await ana.ask(paymentsRead, 900, reason);
  await emma.open("/approvals");
  await emma.alive();
  await emma.page.getByLabel("Note").fill("Read only, go ahead");
  await signsOutElsewhere(emma);
  await emma.page.getByRole("button", { name: "Approve" }).click();
  await signsIn(emma, "emma.lindqvist");
  await expect(emma.page.getByRole("alert")).toContainText("You were signed out, so nothing was sent.");
  await expect(emma.page.getByLabel("Note")).toHaveValue("Read only, go ahead");
  await expect(emma.state).toHaveText("Pending");
  await judge(emma, "expiry-note-given-back");
  await emma.page.getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
});

test("whoever signs in instead sees nothing of it, and sends nothing of it", async ({ person }) => {
  const carla = await person("carla.rossi");
  const { page } = carla;
  await carla.open("/access/111122223333/ReadOnlyAccess");
  await page.getByLabel("Why do you need it?").fill(reason);
  // A second tab, on the same page of hers.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByLabel("Why do you need it?").fill(reason);

  await signsOutElsewhere(carla);
  await page.getByRole("button", { name: "Ask for access" }).click();
  await signsIn(carla, "ana.silva");
  await expect(page).toHaveURL(/\/access\/111122223333\/ReadOnlyAccess$/);
  await expect(page.getByLabel("Why do you need it?")).toHaveValue("");
  await expect(page.getByRole("alert")).toHaveCount(0);

  await other.getByRole("button", { name: "Ask for access" }).click();
  await expect(other.getByRole("heading", { name: "That page was somebody else's" })).toBeVisible();
  await expect(other.getByText(reason)).toHaveCount(0);
  await page.goto(`${carla.world.portal}/mine`);
  await expect(page.locator('a[href^="/requests/"]')).toHaveCount(0);
});
