// Small comforts on top of pages that work without any script: shortcuts, dialogs, copying, menus that close.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const isTyping = (event) => event.composedPath()[0].closest("input, textarea, select, [contenteditable]") !== null;
  let pendingGo = 0;

  // Keys that only this page has.
  const more = $("#more-shortcuts");
  if (more) $("#shortcuts .shortcuts").prepend(more.content.cloneNode(true));

  // Ctrl+K searches: in this page's list, in its dialog, or in the list that the page belongs to.
  function find() {
    const search = $("[data-search]");
    const dialog = $("#find");
    const list = $("[data-find], .tabs a[href$='/requests']");
    if (search) {
      search.focus();
      search.select();
    } else if (dialog) dialog.showModal();
    else if (list) location.assign(`${list.pathname}#field-search`);
    return search || dialog || list;
  }

  // Of tabs that do not fit, the present one is seen.
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) tab.scrollIntoView({ block: "nearest", inline: "center" });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      if (find()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        $("summary", menu).focus();
      }
      return;
    }
    if (isTyping(event)) return;
    const goes = Date.now() - pendingGo < 1200;
    pendingGo = 0;
    if (goes) {
      const link = $(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) link.click();
    } else if (event.key === "g") {
      pendingGo = Date.now();
    } else if (event.key === "/") {
      const search = $("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "?") {
      $("#shortcuts").showModal();
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (event.target.closest("[data-find]") && $("#find")) {
      event.preventDefault();
      $("#find").showModal();
    }
    const copier = event.target.closest("[data-copies]");
    if (copier) copy(copier);
    const chosen = event.target.closest(".graph svg a");
    if (chosen) select(chosen);
    const folder = event.target.closest("[data-cancels]");
    if (folder) folder.closest("details").open = false;
    if (event.target.matches("dialog")) event.target.close();
  });

  // htmx brings the data of the chosen node; the picture stays, so the mark moves here.
  function select(link) {
    for (const other of link.parentNode.querySelectorAll("a")) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
      $(".node", other).classList.toggle("node-selected", other === link);
    }
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copies);
    const text = source.value ?? source.textContent;
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      say(button.dataset.done);
    } else {
      getSelection().selectAllChildren(source); // without TLS there is no clipboard: Ctrl-C does the rest
    }
  }

  function say(text, tone = "neutral") {
    const toast = $("#toast").content.firstElementChild.cloneNode(true);
    toast.classList.add(`tone-${tone}`);
    $("p", toast).textContent = text;
    $("#toasts").append(toast);
    setTimeout(() => toast.remove(), 6000);
  }

  // A pager's link goes with its list: the keyboard goes on at the new one.
  document.addEventListener("htmx:afterSwap", (event) => {
    const trigger = event.detail.requestConfig.elt;
    const list = document.getElementById(event.detail.target.id);
    if (!list || trigger.isConnected || !trigger.matches("a, button")) return;
    list.tabIndex = -1;
    list.focus({ preventScroll: true });
  });

  // A refused request says why in a fragment; what comes from elsewhere (a proxy, a broken line) has no such words.
  document.addEventListener("htmx:responseError", (event) => {
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    say(answer.querySelector("[data-error]")?.textContent ?? $("#toasts").dataset.failure, "bad");
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => say($("#toasts").dataset.failure, "bad"));
  }
})();
