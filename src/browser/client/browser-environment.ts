/** Offers the client what a real browser has: WebSocket, timers, localStorage. */
import type { ClientEnvironment, SocketEvents } from "./connection.ts";

function openSocket(
  url: string,
  events: SocketEvents,
): ReturnType<ClientEnvironment["openSocket"]> {
  const socket = new WebSocket(url);
  socket.addEventListener("message", (event: MessageEvent<unknown>) => {
    if (typeof event.data === "string") events.message(event.data);
  });
  socket.addEventListener("close", (event) => events.closed(event.code));
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

/** Reading `localStorage` itself throws where a browser forbids storage. */
function storage(): ClientEnvironment["storage"] {
  try {
    return window.localStorage;
  } catch {
    return { getItem: () => null, setItem: () => undefined };
  }
}

export function browserEnvironment(): ClientEnvironment {
  return {
    openSocket,
    after(delayMs, task) {
      const timer = window.setTimeout(task, delayMs);
      return () => window.clearTimeout(timer);
    },
    random: () => Math.random(),
    storage: storage(),
  };
}
