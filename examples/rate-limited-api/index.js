// Factors whole numbers. That costs time, so the function's `callsPerMinute` bounds how often it is called; no line here does.

const LARGEST = 10 ** 12; // a million divisions at worst

export default (request) => {
  const text = new URL(request.url).searchParams.get("n") ?? "";
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 2 || number > LARGEST) {
    return Response.json({ error: `n: a whole number from 2 to ${LARGEST} is required` }, { status: 400 });
  }
  return Response.json({ number, factors: factorsOf(number) });
};

function factorsOf(number) {
  const factors = [];
  let rest = number;
  for (let divisor = 2; divisor * divisor <= rest; divisor++) {
    for (; rest % divisor === 0; rest /= divisor) factors.push(divisor);
  }
  return rest > 1 ? [...factors, rest] : factors;
}
