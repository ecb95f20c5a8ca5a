// Before the first paint, so that a dark page does not begin white. A file of its own, since the policy allows no inline script.
{
  const chosen = localStorage.getItem("cloche-theme") ?? "auto";
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
}
