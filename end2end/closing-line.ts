// Ends a run with the plain line that `.ci/stages` adds up: Playwright's own is not one that CI reads.

import type { FullResult, Reporter, Suite } from "@playwright/test/reporter";

export default class ClosingLine implements Reporter {
  #suite: Suite | undefined;
  #broken = 0;

  onBegin(_config: unknown, suite: Suite) {
    this.#suite = suite;
  }

  // Something outside every test: a file that does not load, a fixture that does not stop.
  onError() {
    this.#broken += 1;
  }

  onEnd(result: FullResult) {
    const outcomes = (this.#suite?.allTests() ?? []).map((test) => test.outcome());
    const count = (outcome: string) => outcomes.filter((it) => it === outcome).length;
    // Flaky counts as failed: there are no retries to be flaky with.
    const failed = count("unexpected") + count("flaky") + this.#broken;
    const unsaid = result.status !== "passed" && failed === 0 ? 1 : 0;
    console.log(`${count("expected")} passed, ${failed + unsaid} failed`);
  }
}
