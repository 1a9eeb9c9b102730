// `make lighthouse`: a measurement by somebody else's yardstick, not part of CI: its figures depend on how busy the
// machine is.

import usual from "./playwright.config.ts";

export default {
  ...usual,
  testDir: "lighthouse",
  // One at a time: what runs beside a measurement is measured, too.
  workers: 1,
  fullyParallel: false,
  // Three pages, each loaded a few times and slowed down to a phone's line.
  timeout: 600_000,
  reporter: [["line"]],
  // Recording a page would be measured with it.
  use: { ...usual.use, trace: "off", screenshot: "off" },
};
