// The page arrives, comes alive, and is cached and guarded as it should be.

import { expect, test } from "../journey.ts";

test("a page is complete before script, and comes alive without an error", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  await expect(ana.page.getByRole("heading", { level: 1 })).toBeVisible();
  await ana.alive();
});

test("who is not signed in is sent to sign in, and comes back to where they were going", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/mine");
  expect(new URL(ana.page.url()).pathname).toBe("/mine");
});

test("files have a fingerprint, so they are kept for a year and sent compressed", async ({ person, world }) => {
  const ana = await person("ana.silva");
  const seen: string[] = [];
  ana.page.on("response", (response) => {
    if (new URL(response.url()).pathname.startsWith("/pkg/")) seen.push(response.url());
  });
  await ana.open("/");
  await ana.alive();
  for (const kind of ["js", "wasm", "css"]) {
    const address = seen.find((url) => url.endsWith(`.${kind}`));
    expect(address, kind).toMatch(/\/pkg\/belay\.[0-9a-f]{16}\./);
    const response = await fetch(address ?? world.portal, { headers: { "accept-encoding": "br" } });
    expect(response.headers.get("content-encoding")).toBe("br");
    expect(response.headers.get("cache-control")).toContain("immutable");
  }
});

test("a page carries its policy: scripts by nonce only, no frames, nothing stored", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  const response = await ana.page.reload();
  const headers = response?.headers() ?? {};
  const policy = headers["content-security-policy"] ?? "";
  expect(policy).toMatch(/script-src [^;]*'nonce-[^']+'/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("base-uri 'none'");
  expect(policy).toContain("object-src 'none'");
  expect(policy).not.toContain("unsafe-inline");
  expect(policy.replace("'wasm-unsafe-eval'", "")).not.toContain("unsafe-eval");
  expect(headers["cache-control"]).toContain("no-store");
});

test("the list narrows as one types, which only the living page can do", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  await ana.alive();
  const payments = ana.page.getByRole("article").filter({ hasText: "111122223333" });
  const orders = ana.page.getByRole("article").filter({ hasText: "222233334444" });
  await expect(orders).toBeVisible();
  await ana.page.getByRole("searchbox").fill("payments prod");
  await expect(payments).toBeVisible();
  await expect(orders).toBeHidden();
});

test("an address of nobody's says so, with the status that says the same", async ({ person }) => {
  const ana = await person("ana.silva");
  ana.expectRefusal(404);
  await ana.open("/");
  const response = await ana.page.goto(`${ana.world.portal}/no/such/page`);
  expect(response?.status()).toBe(404);
  await expect(ana.page.getByRole("heading", { level: 1 })).toBeVisible();
});
