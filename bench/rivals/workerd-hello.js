// workerd's bare hello: no body read, no route.
const headers = { "Content-Type": "application/json; charset=utf-8" };

export default {
  fetch() {
    return new Response('{"data":{"hello":"world"},"type":"json"}', { headers });
  },
};
