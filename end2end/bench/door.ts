// Signing in without a browser: the picker is a form.

import { type APIRequestContext, expect } from "@playwright/test";
import type { World } from "../world.ts";

export async function signIn(world: World, request: APIRequestContext, userName: string) {
  // Its hidden field says which sign-in it answers.
  const page = await (await request.get(`${world.portal}/`)).text();
  const hidden = /name="request" value="([^"]*)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
  if (hidden === undefined) throw new Error("no picker where one was expected");
  const answer = await request.post(`${world.oidc}/sign-in`, {
    form: { request: hidden, person: userName },
    headers: { origin: world.oidc },
  });
  expect(answer.url(), userName).toBe(`${world.portal}/`);
}
