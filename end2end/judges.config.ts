import { defineConfig } from "@playwright/test";
import journeys from "./playwright.config.ts";

// Belay before programs that others wrote: see judges/README.md.
export default defineConfig({
  ...journeys,
  testDir: "judges",
  // Tests of a file share a judge and a Belay, which take seconds to start; two files run at once.
  fullyParallel: false,
  // A sign-in takes a second or two.
  timeout: 60_000,
  use: { ...journeys.use, actionTimeout: 15_000, trace: "off" },
});
