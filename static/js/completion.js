// Completion of {{ in plain fields: a list below the field, worked by keyboard or mouse.
const OPEN = /\{\{\s*([A-Za-z0-9_.-]*)$/;
let list = null;
let field = null;

export const BUILT_IN = [["$timestamp", ""], ["$uuid", ""]];

function close() {
  list?.remove();
  field?.removeAttribute("aria-activedescendant");
  list = field = null;
}

function choose(item) {
  const at = field.selectionStart;
  const before = field.value.slice(0, at).replace(OPEN, `{{${item.dataset.name}}}`);
  const after = field.value.slice(at).replace(/^\}\}/, "");
  const target = field;
  target.value = before + after;
  target.setSelectionRange(before.length, before.length);
  close();
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

function mark(item) {
  for (const other of list.children) other.setAttribute("aria-selected", String(other === item));
  field.setAttribute("aria-activedescendant", item.id);
  item.scrollIntoView({ block: "nearest" });
}

function open(target, names) {
  close();
  const typed = target.value.slice(0, target.selectionStart ?? 0).match(OPEN);
  if (!typed) return;
  const fitting = names.filter(([name]) => name.toLowerCase().includes(typed[1].toLowerCase())).slice(0, 30);
  if (!fitting.length) return;
  field = target;
  list = document.createElement("ul");
  list.className = "completion";
  list.setAttribute("role", "listbox");
  fitting.forEach(([name, scope], number) => {
    const item = document.createElement("li");
    item.id = `completion-${number}`;
    item.setAttribute("role", "option");
    item.dataset.name = name;
    const label = document.createElement("span");
    label.textContent = name;
    const note = document.createElement("small");
    note.textContent = scope;
    item.append(label, note);
    list.append(item);
  });
  const box = target.getBoundingClientRect();
  list.style.left = `${box.left + scrollX}px`;
  list.style.top = `${box.bottom + scrollY + 2}px`;
  document.body.append(list);
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) choose(item);
  });
  mark(list.firstElementChild);
}

// names() answers [[name, scope], ...] as they are at that moment.
export function startCompletion(root, names) {
  root.addEventListener("input", (event) => {
    if (event.isTrusted && event.target.matches("input[data-vars]:not([type=password])")) open(event.target, names());
  });
  root.addEventListener("focusout", close);
  root.addEventListener("keydown", (event) => {
    if (!list || event.target !== field) return;
    const now = list.querySelector('[aria-selected="true"]');
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      mark((event.key === "ArrowDown" ? now.nextElementSibling : now.previousElementSibling) ?? now);
    } else if (event.key === "Enter" || event.key === "Tab") {
      choose(now);
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
