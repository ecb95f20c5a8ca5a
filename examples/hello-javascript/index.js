// Says hello to whoever is named in the query.
export default (request) => {
  const name = new URL(request.url).searchParams.get("name") ?? "world";
  return Response.json({ hello: name });
};
