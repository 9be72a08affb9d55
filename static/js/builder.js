// The builder's comforts: tabs, rows, the URL in step with its parameters, completion, code editors, shortcuts, the mark of
// unsaved changes. Without this file the form works as one long page.
import { BUILT_IN, startCompletion } from "./completion.js";
import { makeEditor } from "./editor.js";
import { joinUrl, splitUrl } from "./query.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const builder = () => $("#builder");
const METHODS = { g: "GET", p: "POST", u: "PUT", x: "DELETE" };
let newRows = 0;
let saved = "";
let leaves = false;

// --- Tabs

function openTab(name, focus = false) {
  for (const tab of $$("[data-tab]")) {
    const open = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(open));
    tab.tabIndex = open ? 0 : -1;
    if (open) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
    if (open && focus) tab.focus();
  }
  for (const panel of $$("[data-panel]")) panel.classList.toggle("tab-open", panel.dataset.panel === name);
  builder().elements.tab.value = name;
  openEditors();
}

function startTabs() {
  const bar = $("[data-tabs]");
  bar.setAttribute("role", "tablist");
  for (const tab of $$("[data-tab]", bar)) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `tab-${tab.dataset.tab}`);
    const panel = $(`#tab-${tab.dataset.tab}`);
    panel.setAttribute("role", "tabpanel");
    if ($(".field-error, [aria-invalid]", panel)) tab.dataset.wrong = "";
  }
  bar.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (!tab) return;
    event.preventDefault();
    openTab(tab.dataset.tab);
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = $$("[data-tab]", bar);
    const way = document.dir === "rtl" ? -step : step;
    const next = tabs[(tabs.indexOf(document.activeElement) + way + tabs.length) % tabs.length];
    openTab(next.dataset.tab, true);
  });
  openTab(builder().elements.tab.value);
}

// --- Rows

function addRow(table, before = null) {
  const made = $("template", table).content.firstElementChild.cloneNode(true);
  newRows += 1;
  for (const field of $$("[name]", made)) field.name = field.name.replace("__key__", `js${newRows}`);
  table.insertBefore(made, before ?? $("template", table));
  return made;
}

const cellsOf = (row) => $$("input:not([type=checkbox], [type=hidden], [type=file]), select", row);
const isEmpty = (row) => !$$("input:not([type=checkbox], [type=hidden])", row).some((cell) => cell.value);

function startRows() {
  for (const table of $$("[data-rows]")) {
    table.addEventListener("input", (event) => {
      const row = event.target.closest("[data-row]");
      const rows = $$("[data-row]", table);
      if (row && row === rows.at(-1) && !isEmpty(row)) {
        row.classList.remove("cells-new");
        addRow(table).classList.add("cells-new");
      }
    });
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      const row = event.target.closest("[data-row]");
      if (!button) return;
      event.preventDefault();
      if ("add" in button.dataset) {
        $("input:not([type=checkbox], [type=hidden])", $$("[data-row]", table).at(-1)).focus();
        return;
      }
      if ("dropRow" in button.dataset) {
        if ($$("[data-row]", table).length > 1) {
          ($("input:not([type=checkbox])", row.nextElementSibling ?? row) ?? row).focus();
          row.remove();
        }
      } else if ("copyRow" in button.dataset) {
        const copy = addRow(table, row.nextElementSibling);
        cellsOf(row).forEach((cell, number) => {
          const target = cellsOf(copy)[number];
          if (target) target.value = cell.value;
        });
      }
      table.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

// --- The URL and its parameters

function readParams() {
  return $$('[data-rows="params"] > [data-row]').map((row) => ({
    row,
    name: $(".cell-name", row).value.trim(),
    value: $(".cell-value", row).value,
    enabled: $(".cell-on", row).checked,
  }));
}

function startUrl() {
  const url = $("[data-url]");
  const table = $('[data-rows="params"]');
  let busy = false;
  url.addEventListener("input", () => {
    const hint = $("[data-curl-hint]");
    hint.hidden = !/^\s*(\$\s+)?curl\s/i.test(url.value);
    hint.textContent = hint.hidden ? "" : builder().dataset.curl;
    const split = busy || !hint.hidden ? null : splitUrl(url.value);
    if (!split) return;
    busy = true;
    const waiting = [...split.rows];
    for (const known of readParams()) {
      if (!known.enabled || !known.name) continue;
      const at = waiting.findIndex((row) => row.name === known.name);
      if (at < 0) known.row.remove();
      else $(".cell-value", known.row).value = waiting.splice(at, 1)[0].value;
    }
    for (const row of waiting) {
      const made = addRow(table, $$("[data-row]", table).at(-1));
      $(".cell-name", made).value = row.name;
      $(".cell-value", made).value = row.value;
    }
    busy = false;
  });
  table.addEventListener("input", () => {
    const split = busy ? null : splitUrl(url.value);
    if (!split) return;
    const joined = joinUrl(split.base, readParams());
    if (splitUrl(joined)) url.value = joined;
  });
  url.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/^\s*(\$\s+)?curl(\.exe)?\s/i.test(text)) return;
    event.preventDefault();
    const field = document.createElement("textarea");
    field.name = "curl";
    field.hidden = true;
    field.value = text;
    builder().append(field);
    leaves = true;
    builder().requestSubmit($('[name="action"][value="save"]'));
  });
}

// --- Variables

const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}/g;

function names() {
  const form = builder();
  const stored = JSON.parse(form.dataset.names);
  const own = $$('[data-rows="variables"] input.cell-name, [data-rows="secrets"] input.cell-name').map((cell) => [cell.value, "request"]);
  return [...stored, ...own.filter(([name]) => name), ...BUILT_IN];
}

function namesIn(field) {
  return field.value.startsWith("=") ? [] : [...field.value.matchAll(PLACEHOLDER)].map((match) => match[1]);
}

// A link to where a name gets its value.
function defineLink(name) {
  const { define, defineWord } = builder().dataset;
  const environment = builder().elements.environment.value;
  const link = document.createElement("a");
  link.className = "code-inline name-missing";
  link.dir = "ltr";
  link.target = "_blank";
  link.href = `${define}${environment ? `/${environment}` : ""}?name=${encodeURIComponent(name)}#field-name`;
  link.title = defineWord;
  link.textContent = `{{${name}}}`;
  return link;
}

// Below a field, or a row: which of its names have no value.
function showUnset(holder, unset) {
  let line = $("[data-unset]", holder);
  if (!line && !unset.length) return;
  if (!line) {
    line = document.createElement("p");
    line.className = "unset";
    line.dataset.unset = "";
    holder.append(line);
  }
  if (line.textContent.includes("{{") || unset.length) {
    line.replaceChildren(...(unset.length ? [builder().dataset.without, " ", ...unset.map(defineLink)] : []));
  }
}

function showNames() {
  const known = new Map(names());
  const used = new Set();
  const holders = new Map();
  for (const field of $$("[data-vars]")) {
    if (field.closest(".kind") && getComputedStyle(field.closest(".kind")).display === "none") continue;
    if (field.closest('[data-rows="variables"]')) continue;
    const row = field.closest("[data-row]");
    const isOff = row && $("input.cell-on", row)?.checked === false;
    const found = isOff ? [] : namesIn(field);
    for (const name of found) used.add(name);
    const holder = row ?? field.closest(".field, .editor-frame");
    if (holder) holders.set(holder, [...(holders.get(holder) ?? []), ...found]);
  }
  for (const [holder, found] of holders) showUnset(holder, [...new Set(found)].filter((name) => !known.has(name)));
  const line = $("[data-used]");
  line.replaceChildren(
    ...[...used].map((name) => {
      const note = document.createElement("span");
      note.className = "visually-hidden";
      note.textContent = known.has(name) ? ` (${known.get(name)})` : ` (${builder().dataset.unsetWord})`;
      if (!known.has(name)) {
        const link = defineLink(name);
        link.append(note);
        return link;
      }
      const chip = document.createElement("code");
      chip.dir = "ltr";
      chip.className = "code-inline name-known";
      chip.textContent = `{{${name}}}`;
      chip.title = known.get(name);
      chip.append(note);
      return chip;
    }),
  );
}

// --- Editors

async function openEditors() {
  for (const textarea of $$(".tab-open textarea[data-editor]:not([data-opened])")) {
    if (getComputedStyle(textarea.closest(".kind")).display === "none") continue;
    textarea.dataset.opened = "";
    await makeEditor(textarea, builder().dataset.codemirror, names, builder().dataset.line);
  }
}

// --- Unsaved changes

// Of the empty row at the end of a table.
const SILENT = /^(?!body_kind|auth).*\.(enabled|subject|comparison|source|scope)$/;

function snapshot() {
  const skipped = new Set(["csrf_token", "tab", "environment"]);
  const fields = [...new FormData(builder())].filter(([name]) => !skipped.has(name));
  const typed = fields.map(([name, value]) => [name.replace(/\.(js\d+|new|r\d+)\./, "."), value instanceof File ? value.name : value]);
  return JSON.stringify(typed.filter(([name, value]) => value !== "" && !SILENT.test(name)));
}

function markUnsaved() {
  if (!("started" in builder().dataset)) return; // the last word of a form that was just replaced
  const changed = snapshot() !== saved;
  $("[data-dirty]").hidden = !changed;
  if (changed) $("[data-saved]")?.remove();
}

// --- All together

function start() {
  const form = builder();
  if (!form || form.dataset.started) return;
  form.dataset.started = "";
  leaves = false;
  // For browsers without script. htmx would follow the one of the last button for a save by keyboard too.
  for (const button of $$("[formaction]", form)) button.removeAttribute("formaction");
  startTabs();
  startRows();
  startUrl();
  startCompletion(form, names);
  saved = form.querySelector(".callout, .field-error") ? "" : snapshot();
  form.querySelector(".callout[role=status]")?.scrollIntoView({ block: "center" }); // the button may be far below
  form.addEventListener("input", () => {
    markUnsaved();
    showNames();
  });
  form.addEventListener("change", (event) => {
    markUnsaved();
    if (event.target.name === "body_kind" || event.target.name === "auth_type") {
      openEditors();
      showNames();
    }
    if ("environment" in event.target.dataset) showNames();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === $("[data-url]") && !event.ctrlKey && !event.defaultPrevented) {
      event.preventDefault();
      $("[data-send]").click();
    }
  });
  for (const field of $$("[data-secret]", form)) {
    field.addEventListener("input", () => {
      field.type = /^(\{\{|=)/.test(field.value) ? "text" : "password";
    });
  }
  form.addEventListener("submit", () => {
    leaves = true;
  });
  showNames();
  markUnsaved();
}

document.addEventListener("keydown", (event) => {
  const form = builder();
  if (!form) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "Enter") $("[data-send]").click();
  else if (command && event.key.toLowerCase() === "s") form.requestSubmit($('[name="action"][value="save"]'));
  else if (event.altKey && !command && METHODS[event.code.replace("Key", "").toLowerCase()]) {
    const method = $("[data-method]");
    method.value = METHODS[event.code.replace("Key", "").toLowerCase()];
    method.dispatchEvent(new Event("input", { bubbles: true }));
  } else return;
  event.preventDefault();
}, true);

// --- From a node of the answer to a test or a variable: a row of this form, so that nothing typed in it is lost

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-keep]");
  if (!form || !builder()) return;
  event.preventDefault();
  const { as, variable, secret } = Object.fromEntries(new FormData(form));
  const wanted = { keep: `${as}:${form.dataset.keep}`, keep_variable: variable, keep_secret: secret };
  const fields = Object.entries(wanted).filter(([, value]) => value).map(([name, value]) => {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    return field;
  });
  builder().append(...fields);
  builder().requestSubmit($('[name="action"][value="save"]'));
  for (const field of fields) field.remove(); // htmx has read them
});

addEventListener("beforeunload", (event) => {
  if (builder() && !leaves && !$("[data-dirty]").hidden) event.preventDefault();
});
document.addEventListener("htmx:afterSettle", start);
// A save over a newer state answers 409 with the form and both texts.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "builder-frame" || ![409, 422, 503].includes(event.detail.xhr.status)) return;
  if (!event.detail.serverResponse.includes("data-builder")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});
start();
