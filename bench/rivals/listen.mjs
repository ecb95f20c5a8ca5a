// What every rival that is a Node server shares: a free port, told on stdout.
export function tellPort(port) {
  process.stdout.write(`listening ${port}\n`);
}

export const HELLO = '{"data":{"hello":"world"},"type":"json"}';
