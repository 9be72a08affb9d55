// Keys of the request list: n, j, k, Enter, f, d; the frame's own script knows / and ?.
const items = () => [...document.querySelectorAll("[data-item]")];
const current = () => document.activeElement?.closest("[data-item]");

function move(step) {
  const rows = items();
  const next = rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(current()) + step))];
  next?.querySelector("[data-open]").focus();
}

const KEYS = {
  n: () => document.querySelector("[data-new]")?.click(),
  j: () => move(1),
  k: () => move(-1),
  f: () => current()?.querySelector("[data-favorite]").click(),
  d: () => current()?.querySelector("[data-delete]").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]") || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

const undo = document.querySelector("[data-undo]");
if (undo) {
  setTimeout(() => undo.remove(), 20000);
  const address = new URL(location);
  address.searchParams.delete("deleted");
  history.replaceState(null, "", address);
}
