// What the buttons of the import page do on the server, done here at once: searching, choosing all or none.
const form = document.querySelector("[data-import]");
const search = form.querySelector("[data-search]");

function count() {
  const number = form.querySelector("[data-chosen]");
  if (number) number.textContent = form.querySelectorAll("[name=chosen]:checked").length;
}

function find() {
  const wanted = search.value.trim().toLowerCase();
  for (const row of form.querySelectorAll("[data-row]")) {
    const folder = row.closest("[data-shelf]")?.querySelector("summary bdi").textContent ?? "";
    row.hidden = !`${folder} ${row.textContent}`.toLowerCase().replace(/\s+/g, " ").includes(wanted);
  }
  for (const shelf of form.querySelectorAll("[data-shelf]")) {
    shelf.hidden = !shelf.querySelector("[data-row]:not([hidden])");
    if (wanted) shelf.querySelector("details").open = true;
  }
}

form.querySelector("[data-find]")?.setAttribute("hidden", "");
search?.addEventListener("input", find);
form.addEventListener("change", count);
form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=pick]");
  if (!button) return;
  event.preventDefault();
  for (const row of (button.closest("[data-shelf]") ?? form).querySelectorAll("[data-row]:not([hidden])")) {
    row.querySelector("[name=chosen]").checked = button.value.startsWith("all");
  }
  count();
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  if (event.target.name === "folder") form.requestSubmit(form.querySelector(".form-actions button"));
});
