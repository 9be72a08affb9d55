// The only way by which text may become page content: through the parser whose document runs nothing. htmx reads its answers
// so, and drops their scripts. Every other way (innerHTML, eval, a script's address) is refused by the browser.
if (window.trustedTypes) {
  trustedTypes.createPolicy("default", {
    createHTML: (text, _type, sink) => (sink === "DOMParser parseFromString" ? text : null),
  });
}
