"use strict";
// The go command reaches a proxy by TCP alone; the way out of the box is a unix socket. Both speak CONNECT, so bytes are only carried.
const { connect, createServer } = require("node:net");

const GATE = "/run/egress.sock";

/** @returns the port on the box's loopback, which leads to the gate */
function forwardToGate() {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: GATE, allowHalfOpen: true });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        one.on("error", () => other.destroy());
        one.pipe(other);
      }
    });
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}

module.exports = { forwardToGate };
