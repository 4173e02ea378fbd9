/** Who is asking: what a verified token says. */

export interface Caller {
  /** `sub`, `user_id` or `teacher_id` of the token. */
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
  /** Epoch milliseconds at which the token stops being valid. */
  readonly expiresAt: number;
}
