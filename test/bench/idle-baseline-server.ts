/** Bare `ws`: takes every socket in, greets it, keeps it by its user and beats for all. Nothing else. */
import { createServer } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";

/** Shorter than the product's, so that a round has passed soon; it adds no memory of its own. */
const HEARTBEAT_MS = 5_000;

const sockets = new Map<string, WebSocket>();
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer();

server.on("upgrade", (request, stream, head) => {
  // Here a token is just the user's name.
  const user = new URL(request.url ?? "", "http://localhost").searchParams.get("token") ?? "";
  upgrades.handleUpgrade(request, stream, head, (socket) => {
    sockets.set(user, socket);
    socket.on("close", () => sockets.delete(user));
    socket.on("message", () => {});
    socket.send('{"type":"connected","replay_id":"0"}');
  });
});

setInterval(() => {
  const text = JSON.stringify({ type: "heartbeat", timestamp: new Date().toISOString() });
  for (const socket of sockets.values()) socket.send(text);
}, HEARTBEAT_MS);

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
