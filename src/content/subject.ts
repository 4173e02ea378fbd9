/** What one notification is about, and who reads it: what rendering starts from. */

export interface Subject {
  readonly data: Readonly<Record<string, unknown>>;
  /** A language tag as the request or the person's preferences state it. */
  readonly locale: string | undefined;
  /** An IANA name; unknown: UTC, and the texts say so. */
  readonly timezone: string | undefined;
  /** RFC 3339. */
  readonly deadline: string | null;
  /** Epoch milliseconds: what "days left" counts from. */
  readonly now: number;
  readonly batchId?: string | undefined;
  readonly classId?: string | undefined;
  readonly studentId?: string | undefined;
}
