// A star puts an offer on top of Access, with script on and off, and leads back to the row that it was pressed on.

import { judge } from "../judge.ts";
import { expect, test } from "../journey.ts";

const looks = [
  { name: "desk-light", viewport: { width: 1280, height: 800 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", javaScriptEnabled: false },
] as const;

for (const look of looks) {
  test(`what is starred stands on top until the star comes off: ${look.name}`, async ({ person }) => {
    const { name, ...options } = look;
    const ben = await person(look.javaScriptEnabled ? "ben.okafor" : "carla.rossi", options);
    const { page } = ben;
    const favourites = page.getByRole("region", { name: "Favourites" });
    const open = async () => {
      await ben.open("/");
      if (look.javaScriptEnabled) await ben.alive();
    };

    await open();
    await expect(favourites).toHaveCount(0);
    await page.getByRole("button", { name: "Star ReadOnlyAccess in Payments Production" }).click();
    await expect(favourites.getByRole("listitem")).toHaveCount(1);
    await expect(page).toHaveURL(/#111122223333%2FReadOnlyAccess$/);
    const row = page.locator('[id="111122223333/ReadOnlyAccess"]');
    await expect(row).toBeInViewport();
    await expect(row.getByRole("button")).toHaveAccessibleName("Take the star off ReadOnlyAccess in Payments Production");

    // It is a way to the form, as any row is.
    await favourites.getByRole("link", { name: /ReadOnlyAccess/ }).click();
    await expect(page.getByLabel("Why do you need it?")).toBeVisible();

    await open();
    await judge(ben, `${name}-favourites`, look.javaScriptEnabled);
    await favourites.getByRole("button", { name: "Take the star off ReadOnlyAccess in Payments Production" }).click();
    await expect(favourites).toHaveCount(0);
    await expect(page).toHaveURL(`${ben.world.portal}/`);
    await expect(page.getByRole("button", { name: "Star ReadOnlyAccess in Payments Production" })).toBeVisible();
  });
}
