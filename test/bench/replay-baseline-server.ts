/** Bare `ws`: sends each user who comes the frames that it has ready in memory. Nothing else. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { baselineFrame, indexOf } from "./replay-frames.ts";

const users = Number(process.env["USERS"]);
const each = Number(process.env["FRAMES_EACH"]);
const bytes = Number(process.env["FRAME_BYTES"]);

/** Made at the start: the product's are made when they are sent, which is its own cost. */
const frames = Array.from({ length: users }, (_, user) =>
  Array.from({ length: each }, (_frame, at) =>
    Buffer.from(baselineFrame(indexOf(user, at + 1, users), at + 1, bytes)),
  ),
);
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();

server.on("upgrade", (request, stream, head) => {
  // Here a token is just the user's place.
  const query = new URL(request.url ?? "", "http://localhost").searchParams;
  const own = frames[Number(query.get("token"))] ?? [];
  upgrades.handleUpgrade(request, stream, head, (socket) => {
    socket.send('{"type":"connected","replay":"complete"}');
    for (const frame of own) socket.send(frame, { binary: false });
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
