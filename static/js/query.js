// The query of a URL and the rows of the parameter table, by the rule of hub/http_builder/query.py.
const PART = /\{\{.*?\}\}|[\x00-\x20"<>#&+%\x7f]/g;
const NAME = /\{\{.*?\}\}|[\x00-\x20"<>#&+%=\x7f]/g;
const encode = (part, text) =>
  text.replace(part, (found) => (found.length > 1 ? found : `%${found.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`));

export function joinUrl(url, rows) {
  const query = rows
    .filter((row) => row.enabled && row.name)
    .map((row) => `${encode(NAME, row.name)}=${encode(PART, row.value)}`)
    .join("&");
  const at = url.indexOf("#");
  const [base, fragment] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
  return query ? `${base}?${query}${fragment}` : url;
}

// null where the query has to stay as it is written.
export function splitUrl(url) {
  if (url.startsWith("=")) return null;
  const at = url.indexOf("#");
  const [head, fragment] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
  const question = head.indexOf("?");
  if (question < 0) return { base: url, rows: [] };
  const base = head.slice(0, question) + fragment;
  try {
    const rows = head.slice(question + 1).split("&").map((part) => {
      const equals = part.indexOf("=");
      const [name, value] = equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
      return { name: decodeURIComponent(name), value: decodeURIComponent(value), enabled: true };
    });
    return joinUrl(base, rows) === url ? { base, rows } : null;
  } catch {
    return null;
  }
}
