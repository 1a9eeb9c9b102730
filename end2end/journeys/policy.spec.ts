// The policy, read, asked, compared and looked back at, by an auditor; and by nobody who is none.
// Without script on a phone in the dark and with script at a desk: every question is a plain form.

import { readFileSync } from "node:fs";
import { judge } from "../judge.ts";
import { expect, test } from "../journey.ts";

const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false },
] as const;

const source = readFileSync(new URL("../../server/sandbox/policy.toml", import.meta.url), "utf8");

for (const look of looks) {
  test(`the policy is read and questioned: ${look.name}`, async ({ person }) => {
    const { name, ...options } = look;
    const scripted = look.javaScriptEnabled;
    const hugo = await person("hugo.martin", options);
    const { page } = hugo;
    const within = page.getByRole("navigation", { name: "Policy" });

    // Read, and searched.
    await hugo.open("/policy");
    await expect(page.getByRole("article").filter({ hasText: "production-admin" })).toContainText("By 2 of Security (3 people)");
    await judge(hugo, `${name}-policy`, scripted);
    await page.getByLabel("Find").fill("break-glass production");
    await page.getByRole("button", { name: "Search" }).click();
    await expect(page.getByRole("article")).toHaveCount(1);
    await expect(page.getByRole("article")).toContainText("signed afterwards by 1 of Security");
    await judge(hugo, `${name}-policy-found`, scripted);

    // Questioned: a name that is nearly right, then the answer, at an address that can be sent.
    await within.getByRole("link", { name: "Explain" }).click();
    await page.getByLabel("Person").fill("ana.silba");
    await page.getByLabel("Account").fill("Payments Production");
    await page.getByLabel("Permission set").fill("AdministratorAccess");
    await page.getByLabel("How long").fill("2h");
    await page.getByRole("button", { name: "Explain" }).click();
    await expect(page.getByText("Did you mean ana.silva?")).toBeVisible();
    await expect(page.getByLabel("How long")).toHaveValue("2h");
    await judge(hugo, `${name}-policy-explain-refused`, scripted);
    await page.getByLabel("Person").fill("ana.silva");
    await page.getByRole("button", { name: "Explain" }).click();
    const answer = page.getByRole("status").filter({ hasText: "asks for" });
    await expect(answer).toContainText("Ana Silva asks for AdministratorAccess in Payments Production (111122223333), for 2h");
    await expect(answer).toContainText("Needs approval");
    await expect(answer).toContainText("2 of: Emma Lindqvist");
    await judge(hugo, `${name}-policy-explained`, scripted);

    // Compared: nothing, a mistake, and a change.
    await within.getByRole("link", { name: "Compare a draft" }).click();
    await page.getByLabel("The draft").fill(source);
    await page.getByRole("button", { name: "Compare" }).click();
    await expect(page.getByText("This is what is in force.")).toBeVisible();
    await expect(page.getByLabel("The draft")).toHaveValue(source);
    await page.getByLabel("The draft").fill(`${source}\n[[rule]]\nnam = "x"\n`);
    await page.getByRole("button", { name: "Compare" }).click();
    await expect(page.getByText("This is not a policy yet.")).toBeVisible();
    await expect(page.getByText(/no key `nam`/)).toBeVisible();
    await judge(hugo, `${name}-policy-draft-invalid`, scripted);
    const more = `
[[rule]]
name = "liam-looks-at-the-tools"
accounts = ["777788889999"]
permission_sets = ["SecurityAudit"]
requesters = ["user:liam.murphy@example.com"]
approvers = ["group:Security"]
`;
    await page.getByLabel("The draft").fill(source + more);
    await page.getByRole("button", { name: "Compare" }).click();
    await expect(page.getByRole("listitem").filter({ hasText: "Gains" })).toContainText("liam.murphy");
    await judge(hugo, `${name}-policy-draft`, scripted);

    // Looked back at, and taken away.
    await within.getByRole("link", { name: "Versions" }).click();
    const row = page.getByRole("listitem").filter({ hasText: "In force" });
    await expect(row).toHaveCount(1);
    await judge(hugo, `${name}-policy-versions`, scripted);
    await row.getByRole("link").click();
    await expect(page.getByText('name = "production-admin"')).toBeVisible();
    await judge(hugo, `${name}-policy-version`, scripted);
    const text = await page.request.get(`${page.url().split("?")[0]}/text`);
    expect(text.headers()["content-disposition"]).toContain("attachment");
    expect(await text.text()).toContain(source);

    // It is not for everybody.
    const ana = await person("ana.silva", options);
    ana.expectRefusal(403);
    await ana.page.goto(`${ana.world.portal}/policy`);
    await expect(ana.page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(ana.page.getByText("production-admin")).toHaveCount(0);
  });
}
