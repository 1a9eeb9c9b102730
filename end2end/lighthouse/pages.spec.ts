// What Lighthouse says of the three pages that people are on most, signed in, at a desk and on a phone: at least 95
// of 100 for speed, for accessibility and for what it calls best practices. Search engines are kept out, so the
// category about them is left out.

import { chromium, expect, test } from "@playwright/test";
import lighthouse, { desktopConfig, type Config, type Flags } from "lighthouse";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { World } from "../world.ts";

const least = 95;
const categories = ["performance", "accessibility", "best-practices"];
const pages = [
  ["Access", "/"],
  ["My access", "/mine"],
  ["Approvals", "/approvals"],
] as const;
const looks: [string, Config | undefined][] = [
  ["desk", desktopConfig],
  // Without a config it is a phone of the middle class on a slow line.
  ["phone", undefined],
];

/** Where Chromium listens; it writes that into its profile. */
async function portOf(profile: string): Promise<number> {
  let port = Number.NaN;
  await expect(() => {
    port = Number(readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n")[0]);
    expect(port).toBeGreaterThan(0);
  }).toPass({ timeout: 30_000 });
  return port;
}

test("Lighthouse has little to say", async ({ launchOptions }) => {
  const world = await World.begin();
  const profile = mkdtempSync(join(tmpdir(), "belay-lighthouse-"));
  // A profile of its own and not a context, which Lighthouse's tabs would not share cookies with.
  const browser = await chromium.launchPersistentContext(profile, {
    ...launchOptions,
    args: [...(launchOptions.args ?? []), "--remote-debugging-port=0"],
  });
  const short: string[] = [];
  try {
    const page = await browser.newPage();
    await page.goto(world.portal);
    await page.locator('button[name=person][value="emma.lindqvist"]').click();
    await page.waitForURL(`${world.portal}/`);
    const port = await portOf(profile);
    for (const [look, config] of looks) {
      for (const [name, path] of pages) {
        const flags: Flags = { port, onlyCategories: categories, disableStorageReset: true, logLevel: "error" };
        const result = await lighthouse(world.portal + path, flags, config);
        if (!result) throw new Error(`Lighthouse has nothing to say of ${name}`);
        const { lhr } = result;
        expect(new URL(lhr.finalDisplayedUrl).pathname, "still signed in").toBe(path);
        if (lhr.runtimeError) {
          // One page that could not be measured says nothing of the others.
          short.push(`${name}, ${look}: not measured: ${lhr.runtimeError.message}`);
          continue;
        }
        const scores = Object.values(lhr.categories).map((it) => ({ title: it.title, score: Math.round((it.score ?? 0) * 100) }));
        console.log(`${name}, ${look}:`.padEnd(20), scores.map((it) => `${it.title} ${it.score}`).join(", "));
        for (const category of Object.values(lhr.categories)) {
          for (const ref of category.auditRefs) {
            const audit = lhr.audits[ref.id];
            if (!audit || ref.weight === 0 || audit.score === null || audit.score >= 0.9) continue;
            console.log(`    ${category.title}: ${audit.title} ${audit.displayValue ?? ""}`);
          }
        }
        for (const it of scores) if (it.score < least) short.push(`${name}, ${look}: ${it.title} ${it.score}`);
      }
    }
  } finally {
    await browser.close();
    await world.end();
    rmSync(profile, { recursive: true, force: true });
  }
  expect(short, `under ${least}`).toEqual([]);
});
