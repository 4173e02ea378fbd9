/** Why a socket is closed and what its client does then. docs/CLOSE-CODES.md shows the same table. */

export interface CloseCode {
  readonly code: number;
  readonly meaning: string;
  /** Whether coming back can help, and how. */
  readonly reconnect: boolean;
  readonly client: string;
}

export const CLOSE_CODES = {
  going_away: {
    code: 1001,
    meaning: "This node stops. A `going_away` frame with `retry_after_ms` came before.",
    reconnect: true,
    client: "Reconnect after `retry_after_ms` with `replay_from`.",
  },
  unauthorized: {
    code: 1008,
    meaning:
      "The token is missing, not valid or has expired; or the ticket was used before, or has expired.",
    reconnect: true,
    client: "Get a new token or ticket first, then reconnect with `replay_from`.",
  },
  too_large: {
    code: 1009,
    meaning: "A frame from the client was larger than 4 KB.",
    reconnect: false,
    client: "Do not reconnect by itself: the client has a fault.",
  },
  server_error: {
    code: 1011,
    meaning:
      "No `pong` arrived in time, the client read too slowly, or the history could not be read.",
    reconnect: true,
    client: "Reconnect with growing pauses and `replay_from`; nothing is lost.",
  },
  try_later: {
    code: 1013,
    meaning:
      "A limit: sockets of this user (at once, or opened within 10 s), sockets of this node, messages from the client, or tokens from this address that did not verify.",
    reconnect: true,
    client:
      "Reconnect with growing pauses; close sockets that are not needed, send less, or get a new token.",
  },
} as const satisfies Record<string, CloseCode>;

export type CloseKind = keyof typeof CLOSE_CODES;

/** What a client reads as the reason of the close; at most 123 bytes fit. */
export type CloseReason =
  | "going away"
  | "unauthorized"
  | "token expired"
  | "heartbeat missed"
  | "slow consumer"
  | "history unavailable"
  | "too many connections"
  | "too many connections of this user"
  | "reconnecting too often"
  | "too many messages"
  | "too many tokens did not verify"
  | "not ready";
