// Passkeys: gives a form the browser's answer to a challenge. Forms that need this stay hidden without it.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
  const parts = document.querySelectorAll("[data-passkey]");
  if (!window.PublicKeyCredential) {
    for (const note of document.querySelectorAll("[data-no-passkeys]")) note.hidden = false;
    return;
  }
  for (const form of document.querySelectorAll("[data-needs-script]")) form.hidden = false;

  const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const withBytes = (list) => list?.map((entry) => ({ ...entry, id: toBytes(entry.id) }));
  let waiting = null; // the request that offers passkeys in the user name's field, until another one begins

  // A refusal in the hub's own words.
  class Refusal extends Error {}

  async function begin(part, form) {
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": form.elements.csrf_token.value };
    const answer = await fetch(part.dataset.challenge, { method: "POST", headers });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) {
      location.assign(elsewhere);
      throw new DOMException("leaving the page", "AbortError");
    }
    if (answer.ok) return answer.json();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Refusal(page.querySelector("[data-error]")?.textContent ?? part.dataset.failed);
  }

  async function ask(part, form, mediation) {
    waiting?.abort();
    waiting = new AbortController();
    const { signal } = waiting;
    const { token, options } = await begin(part, form);
    const publicKey = {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: withBytes(options.allowCredentials),
      excludeCredentials: withBytes(options.excludeCredentials),
    };
    if (options.user) publicKey.user = { ...options.user, id: toBytes(options.user.id) };
    const credential = await navigator.credentials[part.dataset.passkey]({ publicKey, signal, ...(mediation && { mediation }) });
    form.elements.ceremony.value = token;
    form.elements.passkey.value = JSON.stringify(plain(credential));
    form.submit();
  }

  // As JSON; toJSON of the credential itself fails where an extension of the browser made it.
  function plain({ id, rawId, type, authenticatorAttachment, response }) {
    const facts = { clientDataJSON: toText(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) facts[name] = toText(response[name]);
    }
    if (response.getTransports) facts.transports = response.getTransports();
    return { id, rawId: toText(rawId), type, authenticatorAttachment, response: facts };
  }

  function explain(part, error) {
    if (error.name === "AbortError") return;
    const words = { NotAllowedError: part.dataset.cancelled, InvalidStateError: part.dataset.known };
    const text = error instanceof Refusal ? error.message : (words[error.name] ?? part.dataset.failed);
    const note = document.createElement("p");
    note.className = "field-error";
    note.textContent = text;
    part.querySelector("[data-passkey-message]").replaceChildren(note);
  }

  for (const part of parts) {
    const form = part.closest("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      part.querySelector("[data-passkey-message]").replaceChildren();
      ask(part, form).catch((error) => explain(part, error));
    });
    if ("autofill" in part.dataset) {
      PublicKeyCredential.isConditionalMediationAvailable?.().then((available) => {
        // Nobody asked for this one, so its failure is nobody's concern; the button says what is wrong.
        if (available) ask(part, form, "conditional").catch(() => {});
      });
    }
  }
})();
