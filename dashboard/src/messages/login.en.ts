export const en = {
  title: "Log in",
  hint: "This server wants a key. The first start printed one; another can be made on the System page.",
  key: "Key",
  keyHint: "It begins with clo_",
  logIn: "Log in",
  wrong: "This key is unknown, or has been removed.",
  show: "Show or hide the key",
};
