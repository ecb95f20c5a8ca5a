"use strict";
// Messages on the box's control socket, both ways: two lengths (32 bits, big endian), a JSON header, a body of bytes.
const HEAD_BYTES = 8;

/** The first message that arrives; the server sends one. */
function receive(socket) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let bytes = 0;
    let need = HEAD_BYTES;
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < need) return;
      const all = Buffer.concat(chunks);
      chunks.splice(0, chunks.length, all);
      const headerBytes = all.readUInt32BE(0);
      need = HEAD_BYTES + headerBytes + all.readUInt32BE(4);
      if (bytes < need) return;
      const header = JSON.parse(all.toString("utf8", HEAD_BYTES, HEAD_BYTES + headerBytes));
      resolve({ header, body: all.subarray(HEAD_BYTES + headerBytes, need) });
    });
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("the server has gone")));
  });
}

/** Resolves when the message is with the kernel. */
function send(socket, header, bodies = []) {
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(text.length, 0);
  head.writeUInt32BE(
    bodies.reduce((sum, body) => sum + body.length, 0),
    4,
  );
  return new Promise((resolve, reject) => {
    for (const part of [head, text, ...bodies]) socket.write(part);
    socket.write("", (error) => (error ? reject(error) : resolve()));
  });
}

module.exports = { receive, send };
