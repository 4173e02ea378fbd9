/** `dlq` over notifications: one that failed is found, understood and sent again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  startProductWithProviders,
  type ProductWithProviders,
} from "../integration/product-with-providers.ts";
import { classCreatedFor, meetingFor, someone } from "../integration/requests.ts";
import { runCli, type CliResult } from "./run-cli.ts";

let setup: ProductWithProviders;
let admin: string;

beforeAll(async () => {
  setup = await startProductWithProviders({ SMS_LOOKUP_SECONDS: "1" });
  admin = await setup.product.token("boss", ["admin"]);
});
afterAll(async () => {
  await setup.stop();
});

async function dlq(...args: string[]): Promise<CliResult> {
  const { url, prefix } = setup.product.store;
  return await runCli("schoolbell", ["dlq", ...args], { REDIS_URL: url, KEY_PREFIX: prefix });
}

async function notify(body: object): Promise<string> {
  const answer = await setup.product.notify(body);
  return z.string().parse(answer.body["notification_id"]);
}

/** One whose only browser is refused by its push service; `mend` has it taken from then on. */
async function failedPush(): Promise<{ id: string; mend: () => void }> {
  const userId = someone();
  const { endpoint } = await setup.subscribe(userId);
  setup.pushService.script(endpoint, { status: 400 });
  const id = await notify(classCreatedFor(userId));
  return { id, mend: () => setup.pushService.script(endpoint, { status: 201 }) };
}

async function statusOf(id: string): Promise<unknown> {
  const { body } = await setup.product.call("GET", `/notifications/${id}`, { as: admin });
  return body["status"];
}

describe("a notification that failed", () => {
  it("is listed with its reason, shown without what it says, and delivered once redriven", async () => {
    const { id, mend } = await failedPush();
    const listed = await dlq("list");
    expect(listed.code).toBe(0);
    expect(listed.stderr).toBe("The events are not shown: KAFKA_BOOTSTRAP_SERVERS is not set.\n");
    expect(listed.stdout).toMatch(
      new RegExp(
        `^${id} {2}\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d {2}class_created +push: rejected$`,
        "m",
      ),
    );
    for (const line of listed.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);

    const shown = await dlq("show", id, "--payload");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain("push: rejected");
    expect(shown.stdout).toContain("websocket 0, push 1, sms 0");
    expect(shown.stdout).toContain("from service-under-test");
    expect(shown.stdout).toMatch(/redrive +tries push again$/m);
    // The name of the class, which it tells of.
    expect(shown.stdout).not.toContain("7B");

    mend();
    expect(await dlq("redrive", id)).toEqual({
      code: 0,
      stdout: `${id}  queued again by push\n`,
      stderr: "",
    });
    await expect.poll(() => statusOf(id)).toBe("delivered");
    const again = await dlq("redrive", id);
    expect(again).toEqual({
      code: 1,
      stdout: `${id}  It is delivered, not failed.\n`,
      stderr: "1 of 1 were not sent back.\n",
    });
  });

  it("is told of in the audit trail with who had it sent again", async () => {
    const { id } = await failedPush();
    await dlq("redrive", id);
    const path = `/audit?notification_id=${id}&action=redriven`;
    const { body } = await setup.product.call("GET", path, { as: admin });
    expect(JSON.stringify(body)).toMatch(/"caller":"cli(:[^"]+)?"/);
  });

  it("is chosen by template and by reason, for many at once", async () => {
    const failed = [await failedPush(), await failedPush(), await failedPush()];
    const chosen = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await dlq("list", "--json", ...args);
      const { notifications } = z
        .object({
          notifications: z.object({ letters: z.array(z.object({ notification_id: z.string() })) }),
        })
        .parse(JSON.parse(stdout));
      return notifications.letters.map(({ notification_id: id }) => id);
    };
    const ids = failed.map(({ id }) => id);
    expect(await chosen("--reason", "rejected")).toEqual(expect.arrayContaining(ids));
    expect(await chosen("--template", "announcement")).toEqual([]);
    expect(await chosen("--template", "class_created", "--limit", "1")).toEqual(ids.slice(-1));

    for (const { mend } of failed) mend();
    const unasked = await dlq("redrive", "--template", "class_created");
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toMatch(
      /^Send back \d+ notifications\? Nobody is here to ask: add --yes/,
    );
    const sent = await dlq("redrive", "--template", "class_created", "--yes");
    expect(sent.code).toBe(0);
    expect(sent.stdout).toMatch(/^\d+ queued again by push\n$/);
    for (const id of ids) await expect.poll(() => statusOf(id)).toBe("delivered");
  });
});

describe("an SMS that may have been sent", () => {
  it("is sent once more only if that channel is named", async () => {
    const number = "+46701234102";
    setup.twilio.script(number, { acceptThenReset: true });
    setup.twilio.scriptLists(() => ({ status: 503 }));
    const id = await notify(meetingFor(someone(), number));
    setup.twilio.script(number, { status: 201 });
    const refused = await dlq("redrive", id);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("may have been sent by sms");
    expect((await dlq("redrive", id, "--channels", "sms")).code).toBe(0);
    await expect.poll(() => statusOf(id)).toBe("delivered");
  });
});

it("says which notification there is not", async () => {
  const id = "00000000-0000-8000-8000-000000000000";
  const shown = await dlq("show", id);
  expect(shown).toEqual({ code: 1, stdout: "", stderr: `There is no dead letter ${id}.\n` });
  expect((await dlq("redrive", id)).stdout).toBe(`${id}  There is no such notification.\n`);
});
