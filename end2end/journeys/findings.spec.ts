// What people have and nobody promised: found, left for a while by two admins who agree, refused, given up;
// and what a sweep begins from, on which two admins agree as well.

import { judge } from "../judge.ts";
import { expect, type Person, test } from "../journey.ts";

const desk = { viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true } as const;
const phone = { viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false } as const;

/** The open finding about that person's access there. */
const finding = (person: Person, of: string, what: string) =>
  person.page.locator("article[id]").filter({ hasText: of }).filter({ hasText: what });

async function proposes(admin: Person, about: ReturnType<typeof finding>, why: string, button: string) {
  await about.getByText("Leave it for a while").click();
  await about.getByLabel("Why may it stay?").fill(why);
  await about.getByLabel("For how long?").selectOption("1 day");
  await about.getByRole("button", { name: button }).click();
  await expect(admin.page.getByText("Proposed. Another admin has to confirm it within a week.")).toBeVisible();
}

test("two admins agree on what may stay, and on where the sweep begins", async ({ person }) => {
  // A complete look at the organisation first, at the pace at which AWS answers.
  test.setTimeout(300_000);
  const grace = await person("grace.chen", phone);
  const keiko = await person("keiko.tanaka", desk);
  const adopted = (admin: Person) => finding(admin, "Ana Silva", "Sandbox Ana");

  await expect(async () => {
    await grace.open("/findings");
    await expect(adopted(grace)).toBeVisible({ timeout: 500 });
    await expect(grace.page.getByText("Propose a baseline")).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 180_000 });
  await expect(grace.page.locator("#sweep-next")).toContainText("The next pass takes nothing away");
  await judge(grace, "phone-dark-findings-open", false);

  await proposes(grace, adopted(grace), "Her own place to try things", "Propose to adopt it");
  await expect(adopted(grace).getByRole("button", { name: "Confirm" })).toHaveCount(0);
  await expect(adopted(grace).getByRole("button", { name: "Take it back" })).toBeVisible();
  await judge(grace, "phone-dark-findings-proposed", false);

  await keiko.open("/findings");
  await expect(adopted(keiko)).toContainText("Grace Chen proposes to adopt it");
  await judge(keiko, "desk-light-findings-proposed");
  await adopted(keiko).getByRole("button", { name: "Confirm" }).click();
  await expect(keiko.page.getByText("Agreed, with both names on it.")).toBeVisible();
  const agreed = keiko.page.getByRole("region", { name: "Adopted and ignored" }).getByRole("article");
  await expect(agreed).toContainText("Proposed by Grace Chen, confirmed by Keiko Tanaka");
  await judge(keiko, "desk-light-findings-agreed");

  // What was agreed can be given up by one alone; then it is open again within minutes.
  await agreed.getByRole("button", { name: "Give it up" }).click();
  await expect(keiko.page.getByText("Given up.")).toBeVisible();

  // Another admin may see it otherwise.
  const other = keiko.page.locator("article[id]").filter({ hasText: "Leave it for a while" }).first();
  const id = (await other.getAttribute("id")) ?? "";
  await proposes(keiko, other, "Nobody needs to look at this", "Propose to ignore it");
  await grace.open("/findings");
  const theirs = grace.page.locator(`article[id="${id}"]`);
  await theirs.getByLabel("Note").fill("Somebody does: it is production");
  await theirs.getByRole("button", { name: "Refuse" }).click();
  await expect(grace.page.getByText("Refused. The finding stays open.")).toBeVisible();

  // What nobody knows they take away: it stays in sight until that is proven.
  const ben = (admin: Person) => finding(admin, "Ben Okafor", "Sandbox Ben");
  await grace.open("/findings");
  await ben(grace).getByText("Take it away", { exact: true }).click();
  await judge(grace, "phone-dark-findings-take-away", false);
  await ben(grace).getByLabel("Why must it go?").fill("Nobody knows what this was for");
  await ben(grace).getByRole("button", { name: "Propose to take it away" }).click();
  await expect(grace.page.getByText("Proposed. Another admin has to confirm it within a week.")).toBeVisible();
  await keiko.open("/findings");
  await expect(ben(keiko)).toContainText("Grace Chen proposes to take it away");
  await judge(keiko, "desk-light-findings-to-go");
  await ben(keiko).getByRole("button", { name: "Confirm, and take it away" }).click();
  await expect(keiko.page.getByText("Agreed, with both names on it.")).toBeVisible();
  // By itself, once it is proven.
  await expect(ben(keiko)).toHaveCount(0, { timeout: 30_000 });

  // The baseline: one proposes the list, another agrees to that very list.
  await grace.open("/findings");
  await grace.page.getByText("Propose a baseline").click();
  await grace.page.locator("#baseline-why").fill("All of it was there before Belay");
  await grace.page.getByRole("button", { name: "Propose this baseline" }).click();
  await expect(grace.page.getByText("Another admin has to agree to this list within a week.")).toBeVisible();
  await expect(grace.page.getByRole("button", { name: "Agree to this baseline" })).toHaveCount(0);
  await keiko.open("/findings");
  await keiko.page.getByText("The whole list").click();
  await judge(keiko, "desk-light-sweep-proposed");
  await keiko.page.getByRole("button", { name: "Agree to this baseline" }).click();
  await expect(keiko.page.getByText("What comes later may be swept.")).toBeVisible();
  await expect(keiko.page.getByText(/^Baseline: .* left alone for as long as they are there/)).toContainText("agreed by Keiko Tanaka");
  await judge(keiko, "desk-light-sweep-baseline");
});
