/** Another revision runs beside this one on the same data; what one accepts, the other delivers. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CHILD_SECRET } from "../chaos/environment.ts";
import { tokenOf } from "../chaos/api.ts";
import { startChildProduct, type ChildProduct } from "../support/child-product.ts";
import { startProduct, type Product } from "../support/product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { prepareRevision } from "../support/revision.ts";
import { connect } from "../support/websocket-client.ts";
import { announcementFor, someone } from "./requests.ts";

let store: TestRedis;
let dataDir: string;
/** What was committed last: it needs no dependencies but those that are here. */
let committed: ChildProduct;
let product: Product;

beforeAll(async () => {
  store = await openTestRedis();
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-revision-"));
  const env = {
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    ROLES: "api",
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
    DATA_DIR: dataDir,
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    JWT_SECRET_KEY: CHILD_SECRET,
  };
  committed = startChildProduct(env, await prepareRevision("HEAD"));
  product = await startProduct({ ROLES: "worker,gateway" }, store);
});
afterAll(async () => {
  await committed.kill();
  await product.stop();
  await Promise.all([store.close(), rm(dataDir, { recursive: true })]);
});

it("accepts, as it was committed, and this one delivers", async () => {
  const userId = someone();
  const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
  await tab.next("connected");
  const response = await fetch(`${await committed.url}/notify`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await tokenOf("service-under-test", ["notify:send"])}`,
      "content-type": "application/json",
      "idempotency-key": randomUUID(),
    },
    body: JSON.stringify(announcementFor(userId, "from another revision")),
  });
  expect(response.status).toBe(202);
  expect(await tab.nextNotification()).toMatchObject({
    title: expect.stringContaining("from another revision"),
  });
  await tab.close();
});
