/** The generator's own clients against a server that is known: the bench's bare baseline. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { createPostClient } from "./post-client.ts";
import { openSocket } from "./socket-client.ts";

const servers: Server[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** Opens a socket to a server that sends these frames, and collects until it has so many. */
async function receive(frames: readonly string[]): Promise<string[]> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    for (const frame of frames) socket.send(frame);
  });
  const host = await listen(server);
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  const socket = openSocket(`ws://${host}/`, {
    frame: (bytes, from, to) => void seen.push(bytes.toString("utf8", from, to)),
    burst: () => seen.length === frames.length && done.resolve(),
    closed: (reason) => done.reject(new Error(reason)),
  });
  await done.promise;
  socket.close();
  return seen;
}

describe("the bench's sockets", () => {
  it("read short, long and many frames, however they are cut on the way", async () => {
    const frames = Array.from({ length: 400 }, (_, at) => `${at}-`.padEnd((at * 37) % 3_000, "é"));
    expect(await receive(frames)).toEqual(frames);
  });

  it("send what the server can read", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    const heard = new Promise<string>((resolve) => {
      sockets.on("connection", (socket) => {
        socket.on("message", (data: Buffer) => resolve(data.toString("utf8")));
      });
    });
    const socket = openSocket(`ws://${await listen(server)}/`, {
      frame: () => {},
      burst: () => {},
      closed: () => {},
    });
    socket.send('{"type":"pong"}');
    expect(await heard).toBe('{"type":"pong"}');
    socket.close();
  });

  it("say why they were not let in", async () => {
    const server = createServer();
    server.on("upgrade", (_request, stream) => stream.end("HTTP/1.1 401 Unauthorized\r\n\r\n"));
    const closed = Promise.withResolvers<string>();
    openSocket(`ws://${await listen(server)}/`, {
      frame: () => {},
      burst: () => {},
      closed: closed.resolve,
    });
    expect(await closed.promise).toBe("HTTP/1.1 401 Unauthorized");
  });
});

describe("the bench's requests", () => {
  it("each get their own answer, more of them than there are connections", async () => {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        const answer = `${request.url} ${request.headers["x-turn"]?.toString()} ${body}`;
        response.writeHead(202, { "content-length": answer.length }).end(answer);
      });
    });
    const url = `http://${await listen(server)}`;
    const client = createPostClient({ url, token: "t", connections: 3 });
    const turns = Array.from({ length: 50 }, (_, at) => at);
    const answers = await Promise.all(
      turns.map((turn) => client.post("/notify", `X-Turn: ${turn}\r\n`, `"${turn}"`)),
    );
    expect(answers).toEqual(
      turns.map((turn) => ({ status: 202, body: `/notify ${turn} "${turn}"` })),
    );
    client.close();
  });

  it("fail one by one when the server hangs up, and those behind them go on", async () => {
    let seen = 0;
    const server = createServer((_request, response) => {
      seen += 1;
      if (seen === 1) response.destroy();
      else response.writeHead(202, { "content-length": 0 }).end();
    });
    const url = `http://${await listen(server)}`;
    const client = createPostClient({ url, token: "t", connections: 1 });
    const answers = await Promise.allSettled([
      client.post("/a", "", "{}"),
      client.post("/b", "", "{}"),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    client.close();
  });
});
