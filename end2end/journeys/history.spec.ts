// History as an auditor has it: searched by a form, asked about at a moment, taken away as a file; with script on and
// off, at both widths and in both colours.

import { readFile } from "node:fs/promises";
import { judge } from "../judge.ts";
import { expect, paymentsRead, test } from "../journey.ts";

const looks = [
  { name: "desk-light", who: "carla.rossi", first: "Carla", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "phone-dark", who: "dmitri.volkov", first: "Dmitri", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: true },
  { name: "phone-light", who: "ana.silva", first: "Ana", viewport: { width: 360, height: 740 }, colorScheme: "light", javaScriptEnabled: false },
] as const;

for (const look of looks) {
  test(`an auditor searches history, asks who held what and takes a file: ${look.name}`, async ({ person }) => {
    const { name, who, first, ...options } = look;
    const scripted = look.javaScriptEnabled;
    const asker = await person(who, options);
    const farid = await person("farid.haddad", options);
    const hugo = await person("hugo.martin", { ...options, acceptDownloads: true });
    const reason = `=1+1, for history on ${name}`;
    const id = await asker.ask(paymentsRead, 900, reason);
    await farid.open("/approvals");
    await farid.page.getByRole("article").filter({ hasText: reason }).getByRole("button", { name: "Approve" }).click();
    await expect(farid.page.getByText("Approved, with your name on it.")).toBeVisible();
    await expect(async () => {
      await asker.page.goto(`${asker.world.portal}/requests/${id}`);
      await expect(asker.state).toHaveText("Active", { timeout: 500 });
    }).toPass({ timeout: 30_000 });

    await hugo.open("/history");
    await hugo.page.getByLabel("Reason or ticket").fill(`history on ${name}`);
    await hugo.page.getByLabel("State").selectOption("active");
    await hugo.page.getByRole("button", { name: "Search" }).click();
    await expect(hugo.page).toHaveURL(/text=history/);
    await expect(hugo.page.getByRole("link", { name: /ReadOnlyAccess in/ })).toHaveCount(1);
    await judge(hugo, `${name}-history-found`, scripted);

    const download = hugo.page.waitForEvent("download");
    await hugo.page.getByRole("link", { name: "CSV" }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^belay-history-\d{8}T\d{6}Z\.csv$/);
    const lines = (await readFile(await file.path(), "utf8")).trimEnd().split("\r\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain(`"'${reason}"`);

    hugo.expectRefusal(400);
    await hugo.page.goto(`${hugo.world.portal}/history?from=yesterday&text=kept`);
    await expect(hugo.page.getByText("This is not a date.")).toBeVisible();
    await expect(hugo.page.getByLabel("Reason or ticket")).toHaveValue("kept");
    await expect(hugo.page.getByLabel("From")).toHaveValue("yesterday");
    await judge(hugo, `${name}-history-refused`, scripted);

    await hugo.open("/history");
    await hugo.page.getByRole("link", { name: "Who held what, and when?" }).click();
    await hugo.page.getByLabel("Account").fill("111122223333");
    await hugo.page.getByLabel("Person").fill(first);
    await hugo.page.getByRole("button", { name: "Look up" }).click();
    await expect(hugo.page.locator(`a[href="/requests/${id}"]`)).toBeVisible();
    await expect(hugo.page.getByText("Held", { exact: true }).last()).toBeVisible();
    await judge(hugo, `${name}-held`, scripted);
    await hugo.page.getByLabel("At, or from").fill("2026-11-01T00:00");
    await hugo.page.getByRole("button", { name: "Look up" }).click();
    await expect(hugo.page.getByText("Nobody held it through Belay")).toBeVisible();
    await judge(hugo, `${name}-held-nobody`, scripted);
  });
}
