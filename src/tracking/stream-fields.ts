/** The fields of a Redis stream's entry, which come as a flat list of names and values. */

export function recordOf(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [name, value] = [fields[index], fields[index + 1]];
    if (name !== undefined && value !== undefined) record[name] = value;
  }
  return record;
}
