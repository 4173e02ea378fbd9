/** All users with sockets on this node. */
import type { NodeMessage } from "../contract/node-message.ts";
import type { Position } from "../tracking/history.ts";
import type { Connection } from "./connection.ts";
import { Room, type RoomDeps } from "./room.ts";

export interface Hub {
  /** Takes a joining socket in; its user's messages wait until it is ready, if it is the only one. */
  enter(connection: Connection): Room;
  leave(connection: Connection): void;
  room(userId: string): Room | undefined;
  rooms(): IterableIterator<Room>;
  deliver(message: NodeMessage): void;
  users(): string[];
  /** Sockets of one user on this node, joining ones included. */
  socketsOf(userId: string): number;
  /** Calls for each open socket, joining ones included. */
  each(visit: (connection: Connection) => void): void;
  size(): { readonly users: number; readonly connections: number };
  /** Milliseconds that the open sockets have been open, in the mean. */
  meanAgeMs(): number;
  /** Brings local users up to where their histories stand. */
  repair(positions: ReadonlyMap<string, Position>): void;
}

export function createHub(deps: RoomDeps & { readonly clock: { now(): number } }): Hub {
  const rooms = new Map<string, Room<Connection>>();
  /** Counted, since a second list of all sockets would take 40 bytes for each. */
  let connections = 0;
  let sumOfOpenedAt = 0;

  function open(userId: string): Room<Connection> {
    const room = new Room<Connection>(userId, deps);
    // Its first socket compares it with Redis.
    room.checkedAt = deps.clock.now();
    rooms.set(userId, room);
    return room;
  }

  return {
    enter(connection) {
      const room = rooms.get(connection.userId) ?? open(connection.userId);
      room.add(connection);
      connections += 1;
      sumOfOpenedAt += connection.openedAt;
      return room;
    },

    leave(connection) {
      const room = rooms.get(connection.userId);
      if (room === undefined) return;
      // Out of the list first: what still waits in the room finds nobody and says so.
      if (room.seats.length === 1 && room.seats[0] === connection) rooms.delete(connection.userId);
      if (!room.remove(connection)) return;
      connections -= 1;
      sumOfOpenedAt -= connection.openedAt;
    },

    room: (userId) => rooms.get(userId),
    rooms: () => rooms.values(),

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
    socketsOf: (userId) => rooms.get(userId)?.seats.length ?? 0,

    each(visit) {
      for (const room of rooms.values()) for (const seat of room.seats) visit(seat);
    },

    size: () => ({ users: rooms.size, connections }),
    meanAgeMs: () => (connections === 0 ? 0 : deps.clock.now() - sumOfOpenedAt / connections),

    repair(positions) {
      for (const [userId, position] of positions) rooms.get(userId)?.repair(position);
    },
  };
}
