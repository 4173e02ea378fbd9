/** What a person at the page, and a service behind it, do again and again. */
import type { Page } from "playwright-core";

/** Signs in by name and waits until the page is live. */
export async function signInAs(page: Page, userId: string): Promise<void> {
  await page.getByLabel("Name").fill(userId);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Live", { exact: true }).waitFor();
}

/** A token for any user, as the page itself gets one. */
export async function tokenFor(url: string, userId: string): Promise<string> {
  const answer = await post(`${url}/dev/token`, { user_id: userId });
  return String(answer["token"]);
}

/** Sends an announcement as a service would. @returns the notification's id. */
export async function sendTo(
  url: string,
  userId: string,
  data: { title: string; body: string; url?: string },
): Promise<string> {
  const token = await tokenFor(url, "service-of-tests");
  const answer = await post(
    `${url}/notify`,
    { user_id: userId, template_id: "announcement", data },
    token,
  );
  return String(answer["notification_id"]);
}

/** @throws Error with the answer's text when it is not a success. */
export async function post(
  url: string,
  body: unknown,
  token?: string,
): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return Object(JSON.parse(text));
}
