// Converts between units. `main` gets the query and the fields of a JSON or form body in one object.

/** Unit -> its kind, and how many of the kind's base unit it is. */
const UNITS = {
  m: ["length", 1],
  km: ["length", 1000],
  ft: ["length", 0.3048],
  mi: ["length", 1609.344],
  kg: ["mass", 1],
  lb: ["mass", 0.45359237],
  oz: ["mass", 0.028349523125],
};

const NAMES = Object.keys(UNITS).join(", ");

export function main({ value, from, to }) {
  const number = Number(value);
  if (value === undefined || value === "" || !Number.isFinite(number)) return refusal("value: a number is required");
  for (const [name, unit] of Object.entries({ from, to })) {
    if (!Object.hasOwn(UNITS, unit ?? "")) return refusal(`${name}: one of ${NAMES} is required`);
  }
  const [kind, size] = UNITS[from];
  const [otherKind, otherSize] = UNITS[to];
  if (kind !== otherKind) return refusal(`${from} is a ${kind} and ${to} a ${otherKind}`);
  return { value: Number(((number * size) / otherSize).toPrecision(12)), unit: to };
}

function refusal(error) {
  return { statusCode: 400, body: { error } };
}
