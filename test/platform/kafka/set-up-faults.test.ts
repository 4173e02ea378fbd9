/** Which errors end the reading of events, and which are waited out. */
import { describe, expect, it } from "vitest";
import { isFatal, MembershipStuck } from "../../../src/platform/kafka/set-up-faults.ts";

/** As the client throws them: most that end its own tries are marked as final. */
const final = (name: string): Error =>
  Object.assign(new Error("as the client says"), { name, retriable: false });
const answer = (type: string): Error => Object.assign(final("KafkaJSProtocolError"), { type });
const wrapped = (cause: Error): Error =>
  Object.assign(new Error("wrapped", { cause }), { name: "KafkaJSNonRetriableError" });

describe("a fault that a person has to mend", () => {
  it.each([
    ["wrong credentials", final("KafkaJSSASLAuthenticationError")],
    ["wrong credentials, wrapped", wrapped(final("KafkaJSSASLAuthenticationError"))],
    ["a broker of another age", final("KafkaJSServerDoesNotSupportApiKey")],
    ["no right to the topic", answer("TOPIC_AUTHORIZATION_FAILED")],
    ["no right to the group, wrapped", wrapped(answer("GROUP_AUTHORIZATION_FAILED"))],
    ["a session that the broker does not grant", answer("INVALID_SESSION_TIMEOUT")],
    ["a membership that does not end", new MembershipStuck("it did not end")],
  ])("is %s", (_what, error) => {
    expect(isFatal(error)).toBe(true);
  });
});

describe("what passes by itself", () => {
  it.each([
    ["a lock that was not given in time", final("KafkaJSLockTimeout")],
    ["a lock that was not given in time, wrapped", wrapped(final("KafkaJSLockTimeout"))],
    ["anything that took too long", final("KafkaJSTimeout")],
    ["a request without an answer", final("KafkaJSRequestTimeoutError")],
    ["a broker that is away", wrapped(final("KafkaJSConnectionError"))],
    ["brokers that do not know the coordinator yet", final("KafkaJSGroupCoordinatorNotFound")],
    ["tries that were used up", final("KafkaJSNumberOfRetriesExceeded")],
    ["a coordinator that moves", wrapped(answer("NOT_COORDINATOR_FOR_GROUP"))],
    ["an error that nobody has thought of", new TypeError("x is not a function")],
  ])("is %s", (_what, error) => {
    expect(isFatal(error)).toBe(false);
  });
});
