// The main job, whole: asked, approved, granted, ended, proven, recorded; in three browsers, none of
// which reloads a page.

import { auditLog } from "../bucket.ts";
import { expect, paymentsRead, test } from "../journey.ts";
import { assigned } from "../organisation.ts";

test("access is asked for, approved, granted, and taken away again on time", async ({ person, world }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");

  // The approver is there first, with nothing to do.
  await emma.open("/approvals");
  await emma.alive();
  await expect(emma.page.getByText("Nothing waits for you")).toBeVisible();

  // 1, 2: the requester finds it, asks, and sees who can approve.
  await ana.open("/");
  await ana.page.getByRole("article").filter({ hasText: paymentsRead.account }).getByRole("link", { name: "ReadOnlyAccess" }).click();
  await expect(ana.page).toHaveURL(/\/access\/111122223333\/ReadOnlyAccess$/);
  await expect(ana.page.getByText("Somebody has to approve this.")).toBeVisible();
  const id = await ana.ask(paymentsRead, 20, "INC-1: look at the failing payments");
  await expect(ana.state).toHaveText("Pending");
  await expect(ana.page.getByText(/Emma Lindqvist/).first()).toBeVisible();
  await expect(ana.page.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);
  await ana.alive();

  // 3: it appears in front of the approver, who answers with a note.
  const card = emma.page.getByRole("article").filter({ hasText: "Ana Silva" });
  await expect(card).toContainText("ReadOnlyAccess in Payments Production");
  await expect(card).toContainText("INC-1: look at the failing payments");
  await card.getByLabel("Note").fill("Read only, go ahead");
  await card.getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();

  // 4: the requester's page, never reloaded, shows it active, with the time left and the way in.
  await expect(ana.state).toHaveText("Active");
  await expect(ana.page.getByText("Read only, go ahead").first()).toBeVisible();
  await expect(ana.page.getByRole("timer")).toHaveText(/\d/);
  const console_ = ana.page.getByRole("link", { name: "Open console" });
  await expect(console_).toHaveAttribute("href", /^https:\/\/.*account_id=111122223333.*role_name=ReadOnlyAccess/);
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(true);

  // 5: it ends by itself, and says so only when it is gone.
  await expect(ana.state).toHaveText("Ended", { timeout: 60_000 });
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);
  await expect(ana.page.locator(".receipt")).toContainText(/removed/i);
  await expect(ana.page.locator(".receipt .evidence li")).not.toHaveCount(0);
  await expect(console_).toHaveCount(0);

  // 6: an auditor finds it, and the bucket has every step.
  const hugo = await person("hugo.martin");
  await hugo.open("/history");
  const row = hugo.page.getByRole("row").filter({ hasText: "INC-1: look at the failing payments" });
  await expect(row).toContainText("Ana Silva");
  await expect(row).toContainText("Emma Lindqvist");
  await expect(row).toContainText("Ended");
  await row.getByRole("link").click();
  await expect(hugo.page).toHaveURL(new RegExp(`/requests/${id}$`));
  await expect(hugo.page.locator(".timeline .moment")).not.toHaveCount(0);

  await expect
    .poll(async () => operations(await auditLog(world.aws)), { message: "both ends are in the bucket", timeout: 30_000 })
    .toEqual(expect.arrayContaining(["grant", "revoke"]));
  const records = await auditLog(world.aws);
  const grant = records.find((record) => record["operation_type"] === "grant");
  expect(grant).toMatchObject({
    account_id: "111122223333",
    role_name: "ReadOnlyAccess",
    requester_email: "ana.silva@example.com",
    approver_email: "emma.lindqvist@example.com",
    reason: "INC-1: look at the failing payments",
    permission_duration: "20",
  });
});

const operations = (records: Record<string, unknown>[]) => records.map((record) => record["operation_type"]);
