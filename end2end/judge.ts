// What every page holds, whatever journey is on it.

import axe from "axe-core";
import { expect, type Person } from "./journey.ts";

/**
 * Nothing is wider than the window, a picture is kept for people, and no rule of accessibility that a machine can judge
 * is broken. The rules need script to run in the page.
 */
export async function judge(person: Person, name: string, scripted = true) {
  const { page } = person;
  // Evaluated through the browser's debugger, so that the page's own policy need not let it in.
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${name} is wider than its window`).toBeLessThanOrEqual(0);
  await person.screenshot(name);
  if (!scripted) return;
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    const { violations } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`);
  });
  expect.soft(violations, `${name} fails rules of accessibility`).toEqual([]);
}
