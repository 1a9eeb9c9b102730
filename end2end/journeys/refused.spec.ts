// What must not happen, tried by somebody with a browser and bad intentions.

import { expect, type Person, paymentsRead, test } from "../journey.ts";
import { assigned } from "../organisation.ts";

const reason = "A reason that is long enough";

/** Nothing came of it: no request is pending, nothing was granted. */
async function expectNothingHappened(person: Person) {
  await person.open("/mine");
  await expect(person.page.getByText("You hold no temporary access")).toBeVisible();
  await expect(person.page.getByRole("heading", { name: "Waiting for an answer" })).toHaveCount(0);
}

test("an account that is not on offer cannot be asked for, and says nothing about whether it exists", async ({ person }) => {
  const carla = await person("carla.rossi");
  await carla.open("/");
  const fields = { duration: "900", reason };
  const answers = [];
  // Protected, not for her, of somebody else's, and made up.
  for (const account of ["100000000001", "666677778888", "333344445555", "999999999999"]) {
    const answer = await carla.forge(`/access/${account}/ReadOnlyAccess`, fields);
    expect(answer.status(), account).toBeGreaterThanOrEqual(400);
    expect(answer.status(), account).toBeLessThan(500);
    const text = (await answer.text()).replaceAll(account, "ACCOUNT").replace(/nonce="[^"]*"/g, "");
    answers.push({ status: answer.status(), says: /not available to you/.test(text) || /nothing here for you/.test(text) });
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size, JSON.stringify(answers)).toBe(1);
  expect(answers[0]?.says).toBe(true);
  await expectNothingHappened(carla);
});

test("a duration that is not on offer is refused at its field, and the reason stays", async ({ person }) => {
  const carla = await person("carla.rossi");
  await carla.open("/");
  for (const duration of ["0", "-1", "19", "3601", "3596400", "1e3", "", "99999999999999999999"]) {
    const answer = await carla.forge("/access/111122223333/ReadOnlyAccess", { duration, reason });
    expect(answer.status(), duration).toBe(422);
    const page = await answer.text();
    expect(page, duration).toContain("duration-problem");
    expect(page, duration).toContain(reason);
  }
  await expectNothingHappened(carla);
});

test("a reason is text, whatever it says", async ({ person }) => {
  const carla = await person("carla.rossi");
  const emma = await person("emma.lindqvist");
  const hostile = `</textarea><script>document.title = "broken"</script><img src=x onerror="document.title='broken'">`;

  // Refused first (too long a duration), so that it comes back inside the form.
  carla.expectRefusal(422);
  await carla.open("/access/111122223333/ReadOnlyAccess");
  await carla.page.locator("input[name=duration]").first().evaluate((radio) => radio.setAttribute("value", "999999"));
  await carla.page.locator("input[name=duration]").first().check({ force: true });
  await carla.page.getByLabel("Why do you need it?").fill(hostile);
  await carla.page.getByRole("button", { name: "Ask for access" }).click();
  await expect(carla.page.getByLabel("Why do you need it?")).toHaveValue(hostile);
  await expect(carla.page.locator("img[src=x]")).toHaveCount(0);

  await carla.ask(paymentsRead, 60, hostile);
  await expect(carla.page.getByText(hostile)).toBeVisible();
  await emma.open("/approvals");
  await expect(emma.page.getByText(hostile)).toBeVisible();
  for (const { page } of [carla, emma]) {
    await expect(page.locator("img[src=x]")).toHaveCount(0);
    expect(await page.title()).not.toContain("broken");
  }
});

test("a reason of 100 kB is refused, and comes back whole", async ({ person }) => {
  const carla = await person("carla.rossi");
  carla.expectRefusal(422);
  const long = "A very long story. ".repeat(5_400);
  await carla.open("/access/111122223333/ReadOnlyAccess");
  await carla.page.locator('input[name=duration][value="60"]').check({ force: true });
  const field = carla.page.getByLabel("Why do you need it?");
  await field.evaluate((element) => element.removeAttribute("maxlength"));
  await field.fill(long);
  await carla.page.getByRole("button", { name: "Ask for access" }).click();
  await expect(carla.page.getByText(/Write at most/)).toBeVisible();
  await expect(field).toHaveValue(long);
});

test("nobody approves their own request, whatever they send", async ({ person, world }) => {
  // In Payments, so she may ask; in Security, so she is an approver of the others.
  const mia = await person("mia.novak");
  const id = await mia.ask(paymentsRead, 900, reason);
  await expect(mia.page.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
  const answer = await mia.forge(`/requests/${id}`, { act: "approve", note: "of course" });
  expect(answer.status()).toBe(403);
  expect(await answer.text()).toContain("You cannot approve your own request");
  await mia.page.reload();
  await expect(mia.state).toHaveText("Pending");
  expect(await assigned(world, "mia.novak", paymentsRead)).toBe(false);
});

test("a request is there for those it concerns, and for nobody else", async ({ person }) => {
  const ana = await person("ana.silva");
  const id = await ana.ask(paymentsRead, 900, reason);
  const seen: Record<string, number | undefined> = {};
  for (const [userName, status] of Object.entries({
    "emma.lindqvist": 200, // could approve
    "hugo.martin": 200, // audits
    "grace.chen": 200, // administers
    "jonas.weber": 404, // has nothing to do with it
    "liam.murphy": 404,
  })) {
    const other = await person(userName);
    if (status !== 200) other.expectRefusal(status);
    await other.open("/");
    seen[userName] = (await other.page.goto(`${other.world.portal}/requests/${id}`))?.status();
    expect(seen[userName], userName).toBe(status);
  }
});

test("who could not approve cannot, and an admin is not an approver by that", async ({ person }) => {
  const ana = await person("ana.silva");
  const id = await ana.ask(paymentsRead, 900, reason);
  for (const [userName, status] of [["grace.chen", 403], ["hugo.martin", 403], ["jonas.weber", 404]] as const) {
    const other = await person(userName);
    await other.open("/");
    const answer = await other.forge(`/requests/${id}`, { act: "approve", note: "" });
    expect(answer.status(), userName).toBe(status);
  }
  await ana.page.reload();
  await expect(ana.state).toHaveText("Pending");
});

test("history is for auditors and admins", async ({ person }) => {
  const ana = await person("ana.silva");
  ana.expectRefusal(403);
  await ana.open("/");
  await expect(ana.page.getByRole("link", { name: "History" })).toHaveCount(0);
  expect((await ana.page.goto(`${ana.world.portal}/history`))?.status()).toBe(403);
  const hugo = await person("hugo.martin");
  await hugo.open("/");
  await hugo.page.getByRole("link", { name: "History" }).click();
  await expect(hugo.page.getByRole("heading", { name: "History" })).toBeVisible();
});

test("a form from another site is refused before anything looks at it", async ({ person }) => {
  const ana = await person("ana.silva");
  const id = await ana.ask(paymentsRead, 900, reason);
  for (const origin of ["https://evil.example", "null", ana.world.oidc]) {
    const answer = await ana.forge(`/requests/${id}`, { act: "withdraw" }, { origin });
    expect(answer.status(), origin).toBe(403);
  }
  await ana.page.reload();
  await expect(ana.state).toHaveText("Pending");
});

test("a sign-in that began elsewhere is refused", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  const answer = await ana.page.request.get(`${ana.world.portal}/auth/callback?code=stolen&state=made-up`, { maxRedirects: 0 });
  expect(answer.status()).toBe(400);
});

test("signing out ends the session on the server, not only in the browser", async ({ person }) => {
  const ana = await person("ana.silva");
  await ana.open("/");
  const cookies = await ana.page.context().cookies();
  const session = cookies.find((cookie) => cookie.name === "__Host-belay");
  expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  await ana.openMenu();
  await ana.page.getByRole("button", { name: "Sign out" }).click();
  await expect(ana.page.getByRole("heading", { name: "You are signed out" })).toBeVisible();
  await ana.page.context().addCookies(cookies);
  const answer = await ana.page.request.get(`${ana.world.portal}/mine`, { maxRedirects: 0 });
  expect(answer.status()).toBe(303);
});
