/** The fields by which a question about a deadline, its warning and its answer know one another. */

/** What all three are about. */
export const MATTER_FIELD = "batch_id";
/** Where a warning says how much time is left. */
export const HOURS_FIELD = "hours_remaining";
