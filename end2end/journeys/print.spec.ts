// What an auditor prints: a request with its receipt, History, who held what, and the policy. On paper there is
// nothing to press, it is black on white, and every instant is in UTC.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, type Person, paymentsRead, test } from "../journey.ts";

const pictures = fileURLToPath(new URL("../screenshots", import.meta.url));

/** The page as paper has it, judged, and kept as a PDF for people to look at. */
async function print(person: Person, name: string, asked: string[] = [], unasked: string[] = []) {
  const { page } = person;
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("banner")).toBeHidden();
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await expect(page.getByRole("button")).toHaveCount(0);
  for (const form of await page.locator("form[method=post]").all()) await expect(form).toBeHidden();
  // What was searched for is part of what was found; what was not asked is no answer.
  for (const field of asked) await expect(page.getByLabel(field)).toBeVisible();
  for (const field of unasked) await expect(page.getByLabel(field)).toBeHidden();
  const found = await page.evaluate(() => {
    const shown = [...document.querySelectorAll("main *")].filter((it) => it.checkVisibility());
    return {
      paper: getComputedStyle(document.documentElement).backgroundColor,
      inks: [...new Set(shown.map((it) => getComputedStyle(it).color))],
      grounds: [...new Set(shown.map((it) => getComputedStyle(it).backgroundColor))],
      times: [...document.querySelectorAll("main time")].map((it) => ({
        title: it.getAttribute("title") ?? "",
        printed: JSON.parse(getComputedStyle(it, "::after").content) as string,
        ofScreen: getComputedStyle(it).fontSize,
      })),
      heads: [...document.querySelectorAll("thead")].map((it) => getComputedStyle(it).display),
      rows: [...document.querySelectorAll("tbody tr")].map((it) => getComputedStyle(it).breakInside),
      folded: shown.filter((it) => it.matches("details:not([open])") && it.getBoundingClientRect().height <= (it.querySelector("summary")?.getBoundingClientRect().height ?? 0) + 1).length,
    };
  });
  expect(found.paper).toBe("rgb(255, 255, 255)");
  expect(found.inks).toEqual(["rgb(0, 0, 0)"]);
  expect(found.grounds).toEqual(["rgba(0, 0, 0, 0)"]);
  for (const time of found.times) {
    expect(time.title).toMatch(/^\d{1,2} \w{3} \d{4}, \d\d:\d\d:\d\d UTC$/);
    expect(time).toEqual({ title: time.title, printed: time.title, ofScreen: "0px" });
  }
  expect(found.heads.filter((it) => it !== "table-header-group"), "heads that are not repeated").toEqual([]);
  expect(found.rows.filter((it) => it !== "avoid"), "rows that may be torn apart").toEqual([]);
  expect(found.folded, "folds that stayed closed").toBe(0);
  mkdirSync(pictures, { recursive: true });
  await page.pdf({ path: `${pictures}/print-${name}.pdf`, format: "A4" });
  await page.emulateMedia({ media: null, colorScheme: null });
  return found;
}

test("an auditor's print has everything but what is to be pressed", async ({ person }) => {
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  const hugo = await person("hugo.martin");
  const id = await ana.ask(paymentsRead, 20, "INC-4711: printed for the auditors in March");
  const pending = await print(ana, "request-pending");
  expect(pending.times.length).toBeGreaterThan(1);
  await emma.open("/approvals");
  await emma.page.getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();

  await hugo.open(`/requests/${id}`);
  await expect(hugo.state).toHaveText("Ended", { timeout: 60_000 });
  await expect(hugo.page.locator(".receipt")).toBeVisible();
  await print(hugo, "request-ended");

  await hugo.open("/history?person=ana.silva");
  await expect(hugo.page.locator(`a[href="/requests/${id}"]`)).toBeVisible();
  const history = await print(hugo, "history", ["Person"], ["From", "State"]);
  expect(history.heads).toHaveLength(1);
  expect(history.times.length).toBeGreaterThan(0);

  await hugo.open("/history/held?account=111122223333&person=ana.silva");
  await expect(hugo.page.getByLabel("Account")).toHaveValue("111122223333");
  await print(hugo, "held", ["Person", "Account"], ["Until"]);

  await hugo.open("/policy");
  await print(hugo, "policy");
});
