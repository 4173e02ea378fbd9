/** All users with sockets on this node. */
import type { NodeMessage } from "../contract/node-message.ts";
import type { Position } from "../tracking/history.ts";
import type { Connection } from "./connection.ts";
import { createRoom, type Room, type RoomDeps } from "./room.ts";

export interface Hub {
  /** Takes a joining socket in; its user's messages wait until it is ready, if it is the only one. */
  enter(connection: Connection): Room;
  leave(connection: Connection): void;
  room(userId: string): Room | undefined;
  deliver(message: NodeMessage): void;
  users(): string[];
  /** Sockets of one user on this node, joining ones included. */
  socketsOf(userId: string): number;
  connections(): IterableIterator<Connection>;
  size(): { readonly users: number; readonly connections: number };
  /** Brings local users up to where their histories stand. */
  repair(positions: ReadonlyMap<string, Position>): void;
}

export function createHub(deps: RoomDeps): Hub {
  const rooms = new Map<string, Room>();
  const connections = new Set<Connection>();

  return {
    enter(connection) {
      const { userId } = connection;
      const room = rooms.get(userId) ?? createRoom(userId, deps);
      rooms.set(userId, room);
      room.add(connection);
      connections.add(connection);
      return room;
    },

    leave(connection) {
      connections.delete(connection);
      const room = rooms.get(connection.userId);
      if (room === undefined) return;
      // Out of the list first: what still waits in the room finds nobody and says so.
      if (room.seats.size === 1 && room.seats.has(connection)) rooms.delete(connection.userId);
      room.remove(connection);
    },

    room: (userId) => rooms.get(userId),

    deliver(message) {
      const room = rooms.get(message.userId);
      if (room !== undefined) {
        room.deliver(message);
        return;
      }
      const { noteId, fence, workerId } = message;
      deps.answers.add(workerId, { noteId, fence, result: "no_socket", sockets: 0 });
    },

    users: () => [...rooms.keys()],
    socketsOf: (userId) => rooms.get(userId)?.seats.size ?? 0,
    connections: () => connections.values(),
    size: () => ({ users: rooms.size, connections: connections.size }),

    repair(positions) {
      for (const [userId, position] of positions) rooms.get(userId)?.repair(position);
    },
  };
}
