/** Where essays are stored is nobody's business in a browser, unless an installation says so. */

const STORAGE_ID_FIELD = "text_storage_id";

/** `data` without ids of the text store. */
export function withoutStorageIds(
  data: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(data, STORAGE_ID_FIELD)) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== STORAGE_ID_FIELD));
}
