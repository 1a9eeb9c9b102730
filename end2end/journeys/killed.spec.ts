// `kill -9` between one step and the next changes nothing of the outcome.

import { expect, paymentsRead, test } from "../journey.ts";
import { assigned } from "../organisation.ts";

test("a server that dies while access is given and while it is held still takes it away", async ({ person, world }) => {
  // A grant of a minute, and two take-overs of at most 10 s each around it.
  test.setTimeout(240_000);
  const ana = await person("ana.silva");
  const emma = await person("emma.lindqvist");
  for (const someone of [ana, emma]) someone.expectOutage();
  const id = await ana.ask(paymentsRead, 60, "Something dies in the middle of this");
  await ana.alive();

  // Between the approval and its answer from AWS.
  await emma.open(`/requests/${id}`);
  await emma.page.getByRole("button", { name: "Approve" }).click();
  await expect(emma.page.getByText("Approved, with your name on it.")).toBeVisible();
  await world.killBelay();
  await world.startBelay();
  // The page that was open all along finds the server again by itself.
  await expect(ana.state).toHaveText("Active", { timeout: 40_000 });

  // While it is held, until after the moment when it should have ended.
  await expect(ana.page.getByRole("timer")).toHaveText(/^0:0[1-3]$/, { timeout: 60_000 });
  await world.killBelay();
  await expect(ana.page.getByRole("timer")).toHaveText("0:00");
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(true);
  await world.startBelay();
  await expect(ana.state).toHaveText("Ended", { timeout: 40_000 });
  await expect(ana.page.locator(".receipt")).toContainText(/removed/i);
  expect(await assigned(world, "ana.silva", paymentsRead)).toBe(false);
});
