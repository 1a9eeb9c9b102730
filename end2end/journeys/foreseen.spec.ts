// The form says what would become of it, and says so again with each choice.

import { judge } from "../judge.ts";
import { expect, test } from "../journey.ts";

const looks = {
  "desk-light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "phone-dark": { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
} as const;

for (const [name, look] of Object.entries(looks)) {
  test(`the verdict follows what is chosen: ${name}`, async ({ person }) => {
    const carla = await person("carla.rossi", look);
    await carla.open("/access/111122223333/ReadOnlyAccess");
    await carla.alive();
    const verdicts = carla.page.locator(".verdict");
    const button = carla.page.locator("button.button-main");
    await expect(verdicts).toHaveText([/Somebody has to approve this/]);
    await carla.page.getByLabel("Why do you need it?").fill("look at the payment logs");

    await carla.page.getByText("Ask for more in the same request").click();
    const other = carla.page.locator("label.choice", { has: carla.page.locator('input[name="also"]') }).first();
    const target = (await other.textContent()) ?? "";
    await other.click();
    await expect(verdicts).toHaveCount(2);
    await expect(verdicts.nth(1)).toContainText(target.trim());
    await judge(carla, `${name}-ask-several`);

    // A start that has passed is told of before anything is sent, and nothing typed is lost over it.
    await carla.page.getByText("Begin later").click();
    await carla.page.getByLabel("From when?").fill("2020-01-01T00:00");
    await carla.page.getByLabel("Why do you need it?").focus();
    await expect(verdicts).toHaveText([/cannot be granted as things are/]);
    await judge(carla, `${name}-ask-foreseen-refused`);
    await carla.page.getByLabel("From when?").fill("");
    await other.click();
    await expect(verdicts).toHaveText([/Somebody has to approve this/]);
    await expect(carla.page.getByLabel("Why do you need it?")).toHaveValue("look at the payment logs");
    await button.click();
    await expect(carla.page).toHaveURL(/\/requests\//);
  });
}
