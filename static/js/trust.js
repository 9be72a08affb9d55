// The only way by which text may become page content: through the parsers whose document runs nothing. htmx reads its answers
// so, and drops their scripts. Every other way (innerHTML, eval, a script's address) is refused by the browser.
if (window.trustedTypes) {
  const inert = new Set(["DOMParser parseFromString", "Document parseHTMLUnsafe"]);
  trustedTypes.createPolicy("default", { createHTML: (text, _type, sink) => (inert.has(sink) ? text : null) });
}
