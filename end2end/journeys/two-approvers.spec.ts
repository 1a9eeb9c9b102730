// Two approvers at once: each sees what the other does, and of two who press together one decides.

import { judge } from "../judge.ts";
import { expect, type Person, paymentsRead, test } from "../journey.ts";
import { calls } from "../organisation.ts";

const card = (person: Person, requester = "Ana Silva") => person.page.getByRole("article").filter({ hasText: requester });

/** Holds the form that this person sends until all of them have sent theirs. */
async function holds(people: Person[]) {
  let pressed = 0;
  let release = () => {};
  const all = new Promise<void>((done) => (release = done));
  for (const person of people) {
    await person.page.route("**/requests/*", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      pressed += 1;
      if (pressed === people.length) release();
      await all;
      await route.continue();
    });
  }
}

test("what one approves is gone from the other's page, and of two who press together one decides", async ({ person, world }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  const farid = await person("farid.haddad");
  for (const approver of [emma, farid]) {
    await approver.open("/approvals");
    await approver.alive();
  }

  await ana.ask(paymentsRead, 900, "INC-1: look at the failing payments");
  await expect(card(farid)).toBeVisible();
  await card(farid).getByLabel("Note").fill("Which payments?");
  await card(emma).getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
  // Never reloaded.
  await expect(card(farid)).toHaveCount(0);
  await expect(farid.page.getByText("Nothing waits for you")).toBeVisible();
  // In its place stands who decided, with what Farid was about to say and the focus that he had.
  const line = farid.page.getByRole("status").filter({ hasText: "Ana Silva's request" });
  await expect(line).toContainText("does not wait for you any more. Emma Lindqvist approved");
  await expect(line).toContainText("Which payments?");
  await expect(line.locator("[tabindex]")).toBeFocused();
  await judge(farid, "two-approvers-gone");
  await line.getByRole("button", { name: "Dismiss" }).click();
  await expect(farid.page.getByText("Ana Silva's request")).toHaveCount(0);
  await expect(farid.page.getByRole("main")).toBeFocused();

  const dmitri = await person("dmitri.volkov");
  await dmitri.ask(paymentsRead, 900, "INC-1: the same, by whoever built it");
  await dmitri.alive();
  const both = [emma, farid];
  for (const approver of both) {
    approver.expectRefusal(409);
    await card(approver, dmitri.name).getByLabel("Note").fill(`Go ahead, says ${approver.name}`);
  }
  await holds(both);
  await Promise.all(both.map((approver) => card(approver, dmitri.name).getByRole("button", { name: "Approve" }).click()));
  const approved = (approver: Person) => approver.page.getByText("Approved, with your name on it.");
  const refused = (approver: Person) => approver.page.getByRole("alert").filter({ hasText: "This was already approved" });
  for (const approver of both) await expect(approved(approver).or(refused(approver))).toBeVisible();
  const [first, second] = (await approved(emma).isVisible()) ? [emma, farid] : [farid, emma];
  await expect(second.page.getByRole("complementary", { name: "What happened" })).toContainText(`${first.name} approved`);
  await expect(second.page.getByText(`Go ahead, says ${second.name}`)).toBeVisible();
  await judge(second, "two-approvers-late");
  await expect(dmitri.page.getByText(`Go ahead, says ${first.name}`).first()).toBeVisible();
  await expect(dmitri.page.getByText(`Go ahead, says ${second.name}`)).toHaveCount(0);
  await expect(dmitri.state).toHaveText("Active", { timeout: 30_000 });
  expect(await calls(world, "sso-admin:CreateAccountAssignment")).toBe(2);
});

test("whoever is late is told so, with script off", async ({ person, world }) => {
  const options = { javaScriptEnabled: false, viewport: { width: 360, height: 740 }, colorScheme: "dark" } as const;
  const ana = await person("ana.silva", options);
  const emma = await person("emma.lindqvist", options);
  const farid = await person("farid.haddad", options);
  const id = await ana.ask(paymentsRead, 900, "INC-1: look at the failing payments");
  for (const approver of [emma, farid]) await approver.open("/approvals");
  await card(emma).getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
  farid.expectRefusal(409);
  await card(farid).getByLabel("Note").fill("Rather not today");
  await card(farid).getByRole("button", { name: "Deny" }).click();
  await expect(farid.page.getByRole("alert")).toContainText("This was already approved");
  await expect(farid.page.getByRole("complementary", { name: "What happened" })).toContainText("Emma Lindqvist approved");
  await expect(farid.page.getByText("Rather not today")).toBeVisible();
  await judge(farid, "two-approvers-late-phone-dark", false);
  await expect(async () => {
    await ana.open(`/requests/${id}`);
    await expect(ana.state).toHaveText("Active", { timeout: 500 });
  }).toPass({ timeout: 30_000 });
  expect(await calls(world, "sso-admin:CreateAccountAssignment")).toBe(1);
});
