// `make bench`: prints figures, judges nothing. Playwright only runs it; no browser is opened.

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "bench",
  workers: 1,
  // 100 grants of 20 s one after another, and their ends.
  timeout: 2_400_000,
  reporter: [["line"]],
});
