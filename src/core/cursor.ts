/** A place in a list, as opaque text: where the next page goes on. */
export function encodeCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** The place that `encodeCursor` was given; undefined for a text that it did not make. `shape` has a value of each type. */
export function decodeCursor<Place extends readonly (string | number)[]>(
  cursor: string,
  shape: Place,
): Place | undefined {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(place) || place.length !== shape.length) return undefined;
  const values: unknown[] = place;
  const fits = shape.every((value, index) => typeof values[index] === typeof value);
  return fits ? (values as readonly unknown[] as Place) : undefined;
}

/** The first `limit` of `items`, of which one more was asked for, to know whether another page follows. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  placeOf: (item: Item) => readonly (string | number)[],
): { readonly items: Item[]; readonly cursor: string | undefined } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, cursor: items.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : undefined };
}

/** A negative limit would mean "all" to some databases. */
export function wholeLimit(limit: number): number {
  return Math.max(0, Math.floor(limit));
}
