import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// Debian's browser, from its own packages: Playwright's download is never needed. `.ci/test` looks
// further and sets the variable.
const chromium = process.env.CHROMIUM_PATH || "/usr/bin/chromium";
if (!existsSync(chromium)) {
  throw new Error(`no Chromium at ${chromium}; install it, or set CHROMIUM_PATH`);
}

export default defineConfig({
  testDir: "journeys",
  outputDir: "test-results",
  // Each worker has a sandbox, a server and a browser of its own. Most of a journey is waiting for
  // AWS to be slow, so two fit on two cores.
  workers: 2,
  fullyParallel: true,
  // A journey that passes only sometimes is a failure that has not been understood yet.
  retries: 0,
  forbidOnly: !!process.env.CI,
  // The longest journey waits for a 20 s grant, its creation and its proven end, at the sandbox's pace.
  timeout: 120_000,
  // Longer than a creation in the sandbox (2.5 s at most), its lag (2 s) and a poll together.
  expect: { timeout: 15_000 },
  reporter: [["list"], ["./closing-line.ts"]],
  use: {
    browserName: "chromium",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox", // CI runs as root, where Chromium's own sandbox refuses to start
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
});
