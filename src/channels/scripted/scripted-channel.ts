/** A channel whose outcomes are given beforehand: for sandbox recipients and for tests. */
import type { Channel, Outcome } from "../channel.ts";

/** One outcome for every send, or a function that chooses. */
export type Script<Address, Message> =
  | Outcome
  | ((address: Address, message: Message) => Outcome | Promise<Outcome>);

export function createScriptedChannel<Address, Message>(
  script: Script<Address, Message>,
): Channel<Address, Message> {
  return {
    send: async (address, message) =>
      typeof script === "function" ? await script(address, message) : script,
  };
}
