/**
 * One domain event as a row of its service's table: under which names it comes, what it must hold,
 * what it becomes, and which of its fields a page may see. Nothing else leaves.
 */
import type { z } from "zod";
import type { Category, Priority } from "../contract/vocabulary.ts";
import type { DomainTopicVariable } from "../platform/config-schema-kafka.ts";
import { faultText } from "../platform/fault-text.ts";
import type { EventSubject } from "./event-fields.ts";

/** What a teacher can own. */
export const OWNED_KINDS = ["batch", "class"] as const;
export type OwnedKind = (typeof OWNED_KINDS)[number];

interface EventNames {
  /** Its canonical type, the default of its topic's variable. */
  readonly type: string;
  /** A second name that producers use, as type and as topic. */
  readonly secondType?: string;
  /** Where the installation says from which topic it is read. */
  readonly variable: DomainTopicVariable;
}

interface NotificationTraits {
  /** Id of the template, which is the notification's type. */
  readonly notification: string;
  readonly category: Category;
  readonly priority: Priority;
  readonly actionRequired: boolean;
  /** Of what its user id is the owner, where the event is a word on that. */
  readonly owns: OwnedKind | undefined;
}

type Traits = Omit<NotificationTraits, "actionRequired" | "owns"> & {
  /** Default: no. */
  readonly actionRequired?: boolean;
  /** Default: it says nothing of owners. */
  readonly owns?: OwnedKind;
};

/** A row, as the tables write it. */
interface DomainEventRow<Data extends EventSubject> extends EventNames, Traits {
  readonly data: z.ZodType<Data>;
  /** Fields that go to the page as they are; `timestamp` is filled in where the event lacks it. */
  readonly shows: readonly (keyof Data & string)[];
  /** Fields that only go there where the installation exposes ids of the store. */
  readonly storageIds?: readonly (keyof Data & string)[];
  /** Fields made for the page; they go over those of the event. */
  readonly adds?: (data: Data) => Readonly<Record<string, unknown>>;
  readonly deadline?: (data: Data) => string;
  /** Default: always. */
  readonly isWorthTelling?: (data: Data) => boolean;
}

/** What one event says, checked. */
export interface DomainFacts {
  readonly userId: string | undefined;
  readonly batchId: string | undefined;
  readonly classId: string | undefined;
  readonly studentId: string | undefined;
  /** RFC 3339 with `Z`, as are all times here. */
  readonly timestamp: string | undefined;
  readonly deadline: string | undefined;
  readonly isWorthTelling: boolean;
  /** What the page may see. */
  payload(about: {
    readonly occurredAt: string;
    readonly exposeStorageIds: boolean;
  }): Record<string, unknown>;
}

export interface DomainEvent extends EventNames, NotificationTraits {
  /** What it must hold, for those who write it. */
  readonly data: z.ZodType;
  /** `issues` name each wrong field and never its value. */
  read(
    data: unknown,
  ):
    | { readonly ok: true; readonly facts: DomainFacts }
    | { readonly ok: false; readonly issues: string };
}

/** The first faults by their places, none with the value. */
export function describeIssues(error: z.ZodError, ...within: string[]): string {
  return faultText(
    error.issues.map(({ path, message }) => ({
      place: [...within, ...path.map(String)].join("."),
      message,
    })),
  );
}

/** Nothing of null, which producers write for what they do not know. */
function pick<Data extends object>(
  data: Data,
  names: readonly (keyof Data & string)[],
): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = data[name];
      return value === null || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The form in which the rest of the room knows a row: its data's type stays inside. */
export function domainEvent<Data extends EventSubject>(row: DomainEventRow<Data>): DomainEvent {
  const { data: schema, shows, storageIds = [], adds, deadline, isWorthTelling, ...rest } = row;

  function factsOf(data: Data): DomainFacts {
    return {
      userId: data.user_id ?? undefined,
      batchId: data.batch_id ?? undefined,
      classId: data.class_id ?? undefined,
      studentId: data.student_id ?? undefined,
      timestamp: data.timestamp ?? undefined,
      deadline: deadline?.(data),
      isWorthTelling: isWorthTelling?.(data) ?? true,
      payload: ({ occurredAt, exposeStorageIds }) => ({
        ...(shows.includes("timestamp") ? { timestamp: occurredAt } : {}),
        ...pick(data, exposeStorageIds ? [...shows, ...storageIds] : shows),
        ...adds?.(data),
      }),
    };
  }

  return {
    actionRequired: false,
    owns: undefined,
    ...rest,
    data: schema,
    read(value) {
      const result = schema.safeParse(value);
      if (result.success) return { ok: true, facts: factsOf(result.data) };
      return { ok: false, issues: describeIssues(result.error, "data") };
    },
  };
}
