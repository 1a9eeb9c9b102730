// `make bench`: prints figures, judges nothing. Playwright only runs it; no browser is opened.

import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "bench",
  workers: 1,
  // 1,000 grants of up to 40 minutes; 10,000 take longer to ask for than that.
  timeout: 5_400_000,
  reporter: [["line"]],
});
