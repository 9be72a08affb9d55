// CodeMirror over a textarea: the textarea stays the field of the form. It lives in a shadow root, where its style sheets
// are constructed ones, so the page's policy needs no exception for inline styles.
const PLACEHOLDER = /\{\{\s*(\$?[A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}/g;

// Where text with placeholders is no JSON: {from, line, column, reason}; null where it is.
function findProblem(text) {
  if (!text.trim() || text.trimStart().startsWith("=")) return null;
  const sample = text.replace(/\{\{.*?\}\}/g, (found) => "1".repeat(found.length));
  try {
    JSON.parse(sample);
    return null;
  } catch (error) {
    const named = error.message.match(/position (\d+)/);
    const from = named ? Math.min(Number(named[1]), text.length) : text.length;
    const before = text.slice(0, from).split("\n");
    return { from, line: before.length, column: before.at(-1).length + 1, reason: error.message.replace(/ (in JSON )?at position.*/, "") };
  }
}

function colours(cm) {
  const { tags, HighlightStyle } = cm;
  return HighlightStyle.define([
    { tag: tags.propertyName, color: "var(--info-text)" },
    { tag: [tags.string, tags.attributeValue], color: "var(--good-text)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--accent-text)" },
    { tag: [tags.tagName, tags.keyword], color: "var(--info-text)" },
    { tag: tags.attributeName, color: "var(--warn-text)" },
    { tag: tags.comment, color: "var(--text-faint)" },
    { tag: tags.invalid, color: "var(--bad-text)" },
  ]);
}

function theme(cm) {
  const code = "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, 'Liberation Mono', monospace";
  return cm.EditorView.theme({
    "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "0.75rem", maxHeight: "28rem" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: code, lineHeight: "1.6", minHeight: "9rem", overflow: "auto" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": { backgroundColor: "var(--surface-sunken)", color: "var(--text-faint)", border: "none" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--surface-hover) 60%, transparent)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-line)" },
    ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent-line)" },
    ".cm-variable": { borderRadius: "3px", backgroundColor: "var(--accent-soft)", color: "var(--accent-text)" },
    ".cm-variable *": { color: "inherit" },
    ".cm-variable-missing": { backgroundColor: "var(--warn-soft)", color: "var(--warn-text)" },
    ".cm-panels, .cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--border)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--accent-text)" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--surface-sunken)", border: "1px solid var(--border)", color: "var(--text-soft)" },
    ".cm-textfield, .cm-button": { backgroundColor: "var(--surface)", backgroundImage: "none", color: "var(--text)", border: "1px solid var(--border-control)" },
  });
}

function variables(cm, names) {
  const known = () => new Set(names().map(([name]) => name));
  const decorator = new cm.MatchDecorator({
    regexp: PLACEHOLDER,
    decoration: (match) => cm.Decoration.mark({ class: known().has(match[1]) ? "cm-variable" : "cm-variable cm-variable-missing" }),
  });
  return cm.ViewPlugin.fromClass(
    class {
      constructor(view) {
        this.decorations = decorator.createDeco(view);
      }
      update(change) {
        this.decorations = decorator.updateDeco(change, this.decorations);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

function completeNames(names) {
  return (context) => {
    const typed = context.matchBefore(/\{\{\s*[\w.$-]*/);
    if (!typed) return null;
    const from = typed.from + typed.text.match(/^\{\{\s*/)[0].length;
    const apply = (view, option, start, end) => {
      const closed = view.state.sliceDoc(end, end + 2) === "}}";
      const insert = option.label + (closed ? "" : "}}");
      view.dispatch({ changes: { from: start, to: end, insert }, selection: { anchor: start + insert.length + (closed ? 2 : 0) } });
    };
    return { from, options: names().map(([label, detail]) => ({ label, detail, type: "variable", apply })) };
  };
}

// words: the template of "Line …, column …:". Answers the view; `textarea.value` follows what is typed.
export async function makeEditor(textarea, source, names, words) {
  const cm = await import(source);
  if (!textarea.isConnected || textarea.hidden) return null;
  const shown = textarea.closest(".editor-frame").querySelector("[data-problem]");
  const isJson = textarea.dataset.editor === "json";
  const tell = (problem) => {
    shown.textContent = problem ? `${words.replace("{line}", problem.line).replace("{column}", problem.column)} ${problem.reason}` : "";
  };
  const language = { json: [cm.json()], xml: [cm.xml()] }[textarea.dataset.editor] ?? [];
  const lint = isJson
    ? [cm.lintGutter(), cm.linter((view) => {
        const problem = findProblem(view.state.doc.toString());
        tell(problem);
        return problem ? [{ from: Math.min(problem.from, view.state.doc.length), to: Math.min(problem.from + 1, view.state.doc.length), severity: "warning", message: problem.reason }] : [];
      }, { delay: 250 })]
    : [];
  const label = textarea.labels[0]?.textContent ?? "";
  const host = document.createElement("div");
  host.className = "editor";
  host.dir = "ltr";
  const root = host.attachShadow({ mode: "open" });
  const follow = cm.EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    textarea.value = update.state.doc.toString();
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const view = new cm.EditorView({
    root,
    parent: root,
    doc: textarea.value,
    extensions: [
      cm.lineNumbers(), cm.foldGutter(), cm.history(), cm.drawSelection(), cm.indentOnInput(), cm.indentUnit.of("  "), cm.bracketMatching(),
      cm.closeBrackets(), cm.highlightActiveLine(), cm.highlightActiveLineGutter(), cm.highlightSelectionMatches(), cm.search({ top: true }),
      cm.autocompletion({ override: [completeNames(names)] }), cm.syntaxHighlighting(colours(cm)), theme(cm), variables(cm, names),
      cm.EditorView.lineWrapping, cm.EditorView.contentAttributes.of({ "aria-label": label, dir: "ltr" }), follow, ...language, ...lint,
      cm.keymap.of([...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.searchKeymap, ...cm.foldKeymap, ...cm.historyKeymap, ...cm.defaultKeymap.filter((binding) => binding.key !== "Mod-Enter")]),
    ],
  });
  textarea.after(host);
  textarea.hidden = true;
  return view;
}
