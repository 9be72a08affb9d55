// A small model of the world in which n8n evaluates expressions and runs Code nodes, over data of a recorded execution.
//
// What is not modelled, and data that the recording does not hold, ends a trial as "not tried": the mark is kept outside of
// the code under trial, so that a try/catch in it cannot turn it into a result. Each trial has a context of its own.
(function (trapName) {
  "use strict";
  const { parse, stringify } = JSON;
  const NativeFunction = Function;
  const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;
  const define = Object.defineProperty;
  const LONGEST = 400;
  let missing = null;

  class Missing extends Error {}
  function cannot(reason, what) {
    missing = missing || { reason, what: String(what || "") };
    throw new Missing(`${reason} ${what}`);
  }
  const cut = (text) => (text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text);
  const say = (error) => cut(error && error.name ? `${error.name}: ${error.message}` : String(error));
  const show = (value) => cut(value === undefined ? "undefined" : (stringify(value) ?? String(value)));
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  // --- What n8n has and this model does not ---------------------------------------------------------------------------
  for (const name of ["SharedArrayBuffer", "Atomics", "WebAssembly", "console"]) delete globalThis[name];
  // mini-racer declared these with var, so they cannot be deleted.
  globalThis.__timer_manager = undefined;
  for (const name of ["setTimeout", "clearTimeout"]) globalThis[name] = () => cannot("not-modelled", name);
  const quiet = () => {};
  define(globalThis, "console", { value: { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet } });
  const UNMODELLED = [
    "DateTime", "Duration", "Interval", "luxon", "$now", "$today", "$jmespath", "$env", "$vars", "$secrets", "$execution", "$binary",
    "$prevNode", "$parameter", "$fromAI", "$getWorkflowStaticData", "$http", "$mode", "$nodeVersion", "$evaluateExpression",
    "$position", "$pageCount", "$request", "$response", "$self", "$tool", "$agentInfo", "$webhookId", "$getPairedItem", "$data",
    "$rawParameter", "$nodeId", "$resumeWebhookUrl", "$ifEmpty", "$if", "$min", "$max", "$average", "$not", "extend", "extendOptional",
    "Buffer", "require", "module", "exports", "process", "crypto", "fetch", "global", "window", "setInterval",
    "setImmediate", "clearInterval", "queueMicrotask", "structuredClone", "TextEncoder", "TextDecoder", "URL",
    "URLSearchParams", "btoa", "atob", "AbortController", "FormData", "Blob", "helpers", "getWorkflowStaticData",
  ];
  for (const name of UNMODELLED) {
    define(globalThis, name, { get: () => cannot("not-modelled", name), configurable: true });
  }

  // --- n8n's methods for values in expressions ------------------------------------------------------------------------
  const number = (value, name) => {
    const found = Number(String(value).replace(/(\p{Sc}|,|\s)/gu, ""));
    if (Number.isNaN(found)) throw new TypeError(`cannot convert to a number in ${name}()`);
    return found;
  };
  const toBoolean = (value) => !["false", "no", "off", "0", "n", "f", ""].includes(String(value).toLowerCase());
  const strings = {
    isEmpty: (t) => t.length === 0,
    isNotEmpty: (t) => t.length > 0,
    toNumber: (t) => number(t, "toNumber"),
    toFloat: (t) => number(t, "toFloat"),
    toInt: (t) => Math.trunc(number(t, "toInt")),
    toBoolean,
    toJsonString: (t) => stringify(t),
    quote: (t, mark = '"') => mark + t.replaceAll("\\", "\\\\").replaceAll(mark, "\\" + mark) + mark,
    isEmail: (t) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(t),
  };
  const lists = {
    isEmpty: (l) => l.length === 0,
    isNotEmpty: (l) => l.length > 0,
    first: (l) => l[0],
    last: (l) => l[l.length - 1],
    sum: (l) => l.reduce((sum, entry) => sum + number(entry, "sum"), 0),
    toJsonString: (l) => stringify(l),
    compact: (l) => l.filter((entry) => entry !== null && entry !== undefined && entry !== ""),
    unique: (l) => l.filter((entry, index) => l.findIndex((other) => stringify(other) === stringify(entry)) === index),
  };
  const numbers = {
    toInt: (n) => Math.trunc(n),
    toNumber: (n) => n,
    toFloat: (n) => n,
    toBoolean: (n) => n !== 0,
    isEven: (n) => n % 2 === 0,
    isOdd: (n) => Math.abs(n % 2) === 1,
    abs: (n) => Math.abs(n),
    floor: (n) => Math.floor(n),
    ceil: (n) => Math.ceil(n),
    round: (n, places = 0) => Number(n.toFixed(places)),
  };
  const booleans = { toNumber: (b) => Number(b), toInt: (b) => Number(b), isEmpty: () => false };
  const objects = {
    isEmpty: (o) => Object.keys(o).length === 0,
    isNotEmpty: (o) => Object.keys(o).length > 0,
    keys: (o) => Object.keys(o),
    values: (o) => Object.values(o),
    hasField: (o, name) => name in o,
    toJsonString: (o) => stringify(o),
  };
  const MODELLED = new Set([strings, lists, numbers, booleans, objects].flatMap((each) => Object.keys(each)));
  const OTHER_METHODS = new Set(
    ("append average base64Decode base64Encode beginningOf chunk diffTo diffToNow difference endOfMonth extract extractDomain " +
      "extractEmail extractUrl extractUrlPath format hash intersection isBetween isDomain isDst isInLast isInteger isNumeric isUrl " +
      "isWeekend keepFieldsContaining max merge min minus parseJson pluck plus randomItem removeDuplicates removeField " +
      "removeFieldsContaining removeMarkdown removeTags renameKeys replaceSpecialChars set smartJoin toCamelCase toDate toDateTime " +
      "toFormat toISO toLocal toSentenceCase toSnakeCase toTimeZone toTitleCase toUrlEncoded toWholeNumber union urlDecode urlEncode " +
      "urlEncodeString toJsonString isHexColor extractNumber removeAccents toMillis toSeconds").split(" "),
  );
  /** Install only what the text calls, so that a field named like a method stays a field. */
  function installMethods(text) {
    const called = new Set([...text.matchAll(/\.\s*([A-Za-z]\w*)\s*\(/g)].map((match) => match[1]));
    const homes = [[String, strings], [Array, lists], [Number, numbers], [Boolean, booleans], [Object, objects]];
    for (const [home, methods] of homes) {
      for (const name of called) {
        if (Object.hasOwn(methods, name) && !(name in home.prototype && home !== Object && !(name in Object.prototype))) {
          define(home.prototype, name, {
            value: function (...args) { return methods[name](this.valueOf(), ...args); },
            writable: true,
            configurable: true,
          });
        }
      }
    }
  }

  // --- Data of the recording ------------------------------------------------------------------------------------------
  function makeWorld(data) {
    const items = data.input.map((json) => ({ json }));
    const isWhole = data.input.length === data.input_count;
    const whole = (what) => (isWhole ? items : cannot("cut-data", what));

    function nodeItems(name, output) {
      const node = data.nodes[name];
      if (!node) {
        if (data.names.includes(name)) cannot("no-data", name);
        throw new ReferenceError(`Referenced node doesn't exist: ${name}`);
      }
      if (node.changed) cannot("changed-before", name);
      if (!node.outputs.length && node.count) cannot("cut-data", name);
      return { kept: (node.outputs[output] || []).map((json) => ({ json })), isWhole: node.whole };
    }
    function single(name, position) {
      const { kept, isWhole: all } = nodeItems(name, 0);
      if (name === data.parent && data.input_is_first_output) return kept[data.indexes[position]] ?? cannot("cut-data", name);
      if (all && kept.length === 1) return kept[0];
      return cannot("paired-item", name);
    }
    function reference(name, position) {
      const all = (output) => {
        const found = nodeItems(name, output ?? 0);
        return found.isWhole ? found.kept : cannot("cut-data", name);
      };
      return {
        first: (output) => nodeItems(name, output ?? 0).kept[0],
        last: (output) => all(output).at(-1),
        all,
        get item() { return single(name, position); },
        itemMatching: (index) => all(0).length === data.input_count ? all(0)[index] : cannot("paired-item", name),
        pairedItem: () => single(name, position),
        get isExecuted() { return Boolean(data.nodes[name]); },
        get params() { return cannot("not-modelled", "params"); },
        get context() { return cannot("not-modelled", "context"); },
      };
    }
    const world = (position) => ({
      $: (name) => reference(String(name), position),
      $node: new Proxy({}, {
        get: (_target, name) => ({
          get json() { return single(String(name), position)?.json; },
          get binary() { return cannot("not-modelled", "binary"); },
        }),
      }),
      $items: (name, output) => (name ? reference(name, position).all(output) : whole("$items")),
      $json: items[position]?.json,
      $itemIndex: data.indexes[position],
      $runIndex: data.run_index,
      $workflow: {
        name: data.workflow_name,
        get id() { return cannot("not-modelled", "$workflow.id"); },
        get active() { return cannot("not-modelled", "$workflow.active"); },
      },
      $input: {
        get item() { return items[position]; },
        first: () => (data.indexes[0] === 0 || !items.length ? items[0] : cannot("cut-data", "$input")),
        last: () => whole("$input").at(-1),
        // A Code node may loop over the items that were kept: the outcome says on how many it ran.
        all: () => (data.is_code ? items : whole("$input")),
        get params() { return cannot("not-modelled", "params"); },
        get context() { return cannot("not-modelled", "context"); },
      },
    });
    return { items, world };
  }

  // --- Expressions ----------------------------------------------------------------------------------------------------
  const split = (text) => text.slice(1).split(/((?<!\\)\{\{[\s\S]*?\}\})/).filter((part) => part !== "");
  const inner = (part) => part.slice(2, -2).trim().replace(/;+$/, "");
  const isCode = (part) => part.startsWith("{{") && part.endsWith("}}");

  function checkExpression(text) {
    for (const part of split(text).filter(isCode)) {
      NativeFunction(`(${inner(part)}\n)`);
      NativeFunction(`[${inner(part)}\n]`);
    }
  }
  function evaluate(text, variables) {
    const names = Object.keys(variables);
    const values = split(text).map((part) => {
      if (!isCode(part)) return part.replaceAll("\\{{", "{{");
      if (/\bconstructor\b|__proto__|\bprototype\b|PrototypeOf/.test(part)) cannot("not-modelled", "constructor");
      return NativeFunction(...names, `return (${inner(part)}\n)`)(...names.map((name) => variables[name]));
    });
    if (values.length === 1) return values[0];
    return values.map((value) => (value || value === 0 || value === false ? value : "")).join("");
  }

  // --- Code nodes: the shapes that n8n's runner accepts ---------------------------------------------------------------
  const ITEM_KEYS = new Set(["json", "binary", "pairedItem", "error", "index"]);
  function normalize(result) {
    const list = Array.isArray(result) ? result : [result.json ? result : { json: result }];
    if (list.every((item) => isObject(item) && "json" in item)) return list;
    if (list.some((item) => isObject(item) && "json" in item)) throw new Error("Inconsistent item format");
    if (list.every((item) => isObject(item) && "binary" in item)) return list.map((item) => ({ json: {}, ...item }));
    return list.map((json) => ({ json }));
  }
  function checkItem(item, index) {
    if (!isObject(item.json)) throw new Error(`A 'json' property isn't an object [item ${index}]`);
    if (item.binary !== undefined && !isObject(item.binary)) throw new Error(`A 'binary' property isn't an object [item ${index}]`);
  }
  function checkAll(result) {
    if (typeof result !== "object" || result === null) throw new Error("Code doesn't return items properly");
    if (Array.isArray(result)) {
      if (!result.every(isObject)) throw new Error("Code doesn't return items properly");
      if (result.some((item) => Object.keys(item).some((key) => ITEM_KEYS.has(key)))) {
        result.forEach((item, index) => {
          const strange = Object.keys(item).find((key) => !ITEM_KEYS.has(key));
          if (strange !== undefined) throw new Error(`Unknown top-level item key: ${strange} [item ${index}]`);
        });
      }
    }
    const items = normalize(result);
    items.forEach(checkItem);
    return items;
  }
  function checkEach(result, index) {
    if (typeof result !== "object") throw new Error(`Code doesn't return an object [item ${index}]`);
    if (result === null) cannot("not-modelled", "null");
    if (Array.isArray(result)) throw new Error(`Code doesn't return a single object [item ${index}]`);
    const [item] = normalize(result);
    checkItem(item, index);
    return item;
  }
  async function runCode(source, data) {
    const { items, world } = makeWorld(data);
    const itself = new Proxy({}, { get: (_target, name) => cannot("not-modelled", `this.${String(name)}`) });
    AsyncFunction(source); // The syntax of the text by itself, before it is wrapped.
    // In a function of its own, because code may declare what n8n has declared: const items = $input.all().
    const body = `return (async () => {\n${source}\n})();`;
    const call = (position, more) => {
      const variables = { ...world(position), ...more };
      const names = Object.keys(variables);
      return AsyncFunction(...names, body).call(itself, ...names.map((name) => variables[name]));
    };
    if (data.mode !== "runOnceForEachItem") {
      const found = checkAll(await call(0, { items }));
      return { value: show(found.map((item) => item.json)), is_empty: found.length === 0 };
    }
    const found = [];
    for (let position = 0; position < items.length; position++) {
      found.push(checkEach(await call(position, { item: items[position] }), data.indexes[position]).json);
    }
    return { value: show(found), is_empty: false };
  }

  // --- One trial ------------------------------------------------------------------------------------------------------
  function runExpression(text, data, isJson) {
    installMethods(text);
    const { items, world } = makeWorld(data);
    let shown = null;
    for (let position = 0; position < items.length; position++) {
      const value = evaluate(text, world(position));
      if (typeof value === "function") throw new TypeError("this is a function, please add ()");
      if (isJson && typeof value === "string") parse(value);
      const is_empty = value === undefined || value === null || value === "" || Number.isNaN(value);
      // The item that failed is the one to show; nothing is shown before a value that is missing.
      if (shown === null || (is_empty && !shown.is_empty) || (data.indexes[position] === data.failed_index && !shown.is_empty)) {
        shown = { value: typeof value === "string" ? cut(value) : show(value), is_empty };
      }
    }
    return shown;
  }
  function unknownMethod(error) {
    const text = String((error && error.message) || "");
    const match = /(\w+) is not a function|\(reading '(\w+)'\)/.exec(text);
    const name = match && (match[1] || match[2]);
    return name && (OTHER_METHODS.has(name) || (match[2] && MODELLED.has(name))) ? name : null;
  }
  async function outcome(task, source, syntaxOnly) {
    try {
      if (task.kind === "expression") checkExpression(source);
      else if (task.kind === "code") AsyncFunction(source);
    } catch (error) {
      return { status: "syntax", error: say(error) };
    }
    if (syntaxOnly) return { status: "not-tried", reason: task.reason };
    missing = null;
    try {
      let found;
      if (task.kind === "json") found = { value: show(parse(source)), is_empty: false };
      else if (task.kind === "code") found = await runCode(source, task.data);
      else found = runExpression(source, task.data, task.is_json);
      if (missing) return { status: "not-tried", ...missing };
      return { status: found.is_empty ? "empty" : "worked", value: found.value };
    } catch (error) {
      if (missing) return { status: "not-tried", ...missing };
      const method = task.kind === "expression" && unknownMethod(error);
      if (method) return { status: "not-tried", reason: "not-modelled", what: method };
      return { status: "failed", error: say(error) };
    }
  }
  define(globalThis, trapName, {
    value: async (text) => {
      const task = parse(text);
      return stringify(await outcome(task, task.source, Boolean(task.reason)));
    },
  });
})
