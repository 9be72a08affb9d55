"""Plain JavaScript in the place of libraries that n8n's runner blocks; only where every use of them can be translated."""

from __future__ import annotations

import re
from collections.abc import Callable

from tree_sitter import Node

from plugins.analyzers.rules.case import Case
from plugins.analyzers.rules.javascript import is_code, parse, replace_range, source, walk
from plugins.analyzers.rules.trace import Trace

#: Luxon's classes that a Code node has without asking for them.
_LUXON = frozenset(("DateTime", "Interval", "Duration", "Settings"))
#: What Lodash takes for a function of an entry; anything else stops the code instead of giving a wrong value.
_BY = (
    "const by = (key) => { if (typeof key === 'function') return key; "
    "if (!['string', 'number'].includes(typeof key)) throw new TypeError('Not a field or function: ' + key); "
    "return (entry) => String(key).split(/[.[\\]]+/).filter(Boolean).reduce((value, part) => value?.[part], entry); };"
)
_LODASH = {
    "groupBy": "(list, key) => list.reduce((groups, entry) => "
    "{ (groups[by(key)(entry)] ??= []).push(entry); return groups; }, {})",
    "countBy": "(list, key) => list.reduce((counts, entry) => "
    "{ const name = by(key)(entry); counts[name] = (counts[name] ?? 0) + 1; return counts; }, {})",
    "keyBy": "(list, key) => Object.fromEntries(list.map((entry) => [by(key)(entry), entry]))",
    "sumBy": "(list, key) => list.reduce((sum, entry) => sum + (by(key)(entry) ?? 0), 0)",
    "meanBy": "(list, key) => list.reduce((sum, entry) => sum + (by(key)(entry) ?? 0), 0) / list.length",
    "sum": "(list) => list.reduce((sum, value) => sum + value, 0)",
    "mean": "(list) => list.reduce((sum, value) => sum + value, 0) / list.length",
    "uniq": "(list) => [...new Set(list)]",
    "uniqBy": "(list, key) => list.filter((entry, index) => "
    "list.findIndex((other) => by(key)(other) === by(key)(entry)) === index)",
    "chunk": "(list, size = 1) => Array.from({ length: Math.ceil(list.length / size) }, "
    "(_, index) => list.slice(index * size, (index + 1) * size))",
    "flatten": "(list) => list.flat()",
    "flattenDeep": "(list) => list.flat(Infinity)",
    "compact": "(list) => list.filter(Boolean)",
    "get": "(object, path, otherwise) => "
    "{ const value = by([].concat(path).join('.'))(object); return value === undefined ? otherwise : value; }",
    "pick": "(object, ...keys) => "
    "Object.fromEntries(keys.flat().filter((key) => key in object).map((key) => [key, object[key]]))",
    "omit": "(object, ...keys) => Object.fromEntries(Object.entries(object).filter(([key]) => !keys.flat().includes(key)))",
    "first": "(list) => list[0]",
    "head": "(list) => list[0]",
    "last": "(list) => list.at(-1)",
    "sortBy": "(list, ...keys) => [...list].sort((a, b) => (keys.length ? keys.flat() : [(entry) => entry]).map((key) => "
    "(by(key)(a) > by(key)(b) ? 1 : by(key)(a) < by(key)(b) ? -1 : 0)).find(Boolean) ?? 0)",
    "orderBy": "(list, keys, orders = []) => [...list].sort((a, b) => [].concat(keys).map((key, index) => "
    "(by(key)(a) > by(key)(b) ? 1 : by(key)(a) < by(key)(b) ? -1 : 0) * ([].concat(orders)[index] === 'desc' ? -1 : 1))"
    ".find(Boolean) ?? 0)",
    "map": "(list, key) => list.map(by(key))",
    "filter": "(list, key) => list.filter(by(key))",
    "find": "(list, key) => list.find(by(key))",
    "maxBy": "(list, key) => list.reduce((most, entry) => (by(key)(entry) > by(key)(most) ? entry : most), list[0])",
    "minBy": "(list, key) => list.reduce((least, entry) => (by(key)(entry) < by(key)(least) ? entry : least), list[0])",
    "mapValues": "(object, change) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, by(change)(value)]))",
    "isEmpty": "(value) => value == null || Object.keys(value).length === 0",
    "cloneDeep": "(value) => JSON.parse(JSON.stringify(value))",
    "difference": "(list, others) => list.filter((entry) => !others.includes(entry))",
    "intersection": "(list, others) => list.filter((entry) => others.includes(entry))",
    "capitalize": "(text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase()",
    "upperFirst": "(text) => text.charAt(0).toUpperCase() + text.slice(1)",
    "round": "(number, digits = 0) => Number(Math.round(Number(number + 'e' + digits)) + 'e-' + digits)",
    "range": "(start, end) => Array.from({ length: end === undefined ? start : end - start }, "
    "(_, index) => index + (end === undefined ? 0 : start))",
    "zipObject": "(keys, values) => Object.fromEntries(keys.map((key, index) => [key, values[index]]))",
}
_UUID = "() => 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (letter) => " + (
    "{ const random = Math.floor(Math.random() * 16); return (letter === 'x' ? random : (random & 3) | 8).toString(16); })"
)
_REQUIRE = r"require\(\s*['\"](?:node:)?{module}['\"]\s*\)"


def without_module(case: Case, code: str, module: str) -> str | None:
    """The code that does the same without the module; None where that is not known for all of its uses."""
    root = module.removeprefix("node:").partition("/")[0]
    made = _MAKERS[root](case, code, module) if root in _MAKERS else None
    return made if made is not None and is_code(made) else None


def _required(code: str, module: str) -> tuple[Node, Node | None, set[str]] | None:
    """The call of ``require``, its variable, or the names that are taken out of it."""
    calls = [
        node for node in walk(parse(code).root_node) if re.fullmatch(_REQUIRE.format(module=re.escape(module)), source(node))
    ]
    calls = [node for node in calls if node.type == "call_expression"]
    if len(calls) != 1 or (parent := calls[0].parent) is None or parent.type != "variable_declarator":
        return None
    name = parent.child_by_field_name("name")
    if name is None or name.type not in ("identifier", "object_pattern"):
        return None
    if name.type == "identifier":
        return calls[0], name, set()
    keys = [child.child_by_field_name("key") or child for child in name.named_children]
    return calls[0], None, {source(key) for key in keys}


def _used(code: str, name: str) -> set[str] | None:
    """The functions that are read from a variable; None where it is used in another way."""
    uses: set[str] = set()
    for node in walk(parse(code).root_node):
        if node.type != "identifier" or source(node) != name or node.parent is None or node.parent.type == "variable_declarator":
            continue
        prop = node.parent.child_by_field_name("property") if node.parent.type == "member_expression" else None
        if prop is None or node.parent.child_by_field_name("object") != node:
            return None
        uses.add(source(prop))
    return uses


def _without_lodash(_case: Case, code: str, module: str) -> str | None:
    found = _required(code, module)
    if not found:
        return None
    call, variable, names = found
    single = module.rpartition("/")[2] if "/" in module else None
    used = {single} if single else names if variable is None else _used(code, source(variable))
    if not used or not used <= set(_LODASH):
        return None
    members = ", ".join(f"{name}: {_LODASH[name]}" for name in sorted(used))
    value = f"({{ {members} }})" if single is None else f"({_LODASH[single]})"
    needs_keys = any("by(" in _LODASH[name] for name in used)
    made = f"(() => {{ {_BY} return {value}; }})()" if needs_keys else value
    return replace_range(code, call.start_byte, call.end_byte, made)


def _without_uuid(_case: Case, code: str, module: str) -> str | None:
    found = _required(code, module)
    if not found:
        return None
    call, variable, names = found
    used = names if variable is None else _used(code, source(variable))
    return replace_range(code, call.start_byte, call.end_byte, f"({{ v4: {_UUID} }})") if used == {"v4"} else None


def _without_luxon(_case: Case, code: str, module: str) -> str | None:
    """n8n's code has Luxon's classes by their names already."""
    bare = rf"(?m)^[ \t]*(?:const|let|var)\s*\{{([\w\s,]*)\}}\s*=\s*{_REQUIRE.format(module=re.escape(module))}\s*;?[ \t]*\n?"
    found = re.search(bare, code) or re.search(r"(?m)^[ \t]*import\s*\{([\w\s,]*)\}\s*from\s*['\"]luxon['\"]\s*;?[ \t]*\n?", code)
    names = {name.strip() for name in found.group(1).split(",") if name.strip()} if found else set()
    return code[: found.start()] + code[found.end() :] if found and names and names <= _LUXON else None


_UNITS = {"y": "years", "M": "months", "w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_TOKENS = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DDDD|DDD|Do|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|[A-Za-z]")
_FORMAT = {"YYYY": "yyyy", "YY": "yy", "DD": "dd", "D": "d", "dddd": "cccc", "ddd": "ccc", "A": "a", "Z": "ZZ", "ZZ": "ZZZ"}
_SAME = frozenset(("MMMM", "MMM", "MM", "M", "HH", "H", "hh", "h", "mm", "m", "ss", "s", "SSS"))


def _without_moment(case: Case, code: str, module: str) -> str | None:
    found = _required(code, module)
    if not found or found[1] is None:
        return None
    name, statement = source(found[1]), found[0].parent.parent if found[0].parent else None
    trace = Trace(case, code)
    starts = [node for node in walk(trace.root) if node.type == "call_expression" and _callee(node) == name]
    if statement is None or statement.named_child_count != 1 or not starts or len(_uses(trace.root, name)) != len(starts):
        return None
    edits = [(statement.start_byte, statement.end_byte, "")]
    for start in starts:
        if any(begin <= start.start_byte < end for begin, end, _ in edits):
            continue  # an argument of a chain that is translated already
        made = _chain(trace, start, name)
        if made is None:
            return None
        edits.append(made)
    for begin, end, new in sorted(edits, reverse=True):
        code = replace_range(code, begin, end, new)
    return code.lstrip("\n")


def _callee(node: Node) -> str:
    function = node.child_by_field_name("function")
    return source(function) if function is not None and function.type == "identifier" else ""


def _uses(root: Node, name: str) -> list[Node]:
    nodes = [node for node in walk(root) if node.type == "identifier" and source(node) == name]
    return [node for node in nodes if node.parent is not None and node.parent.type != "variable_declarator"]


def _chain(trace: Trace, start: Node, name: str) -> tuple[int, int, str] | None:
    """A chain ``moment(…).add(…).format(…)`` in Luxon's words, with the range that it takes."""
    made, node = _moment(trace, start), start
    while made is not None and node.parent is not None and node.parent.type == "member_expression":
        call = node.parent.parent
        if node.parent.child_by_field_name("object") != node or call is None or call.type != "call_expression":
            return None
        prop, arguments = node.parent.child_by_field_name("property"), call.child_by_field_name("arguments")
        if prop is None or arguments is None:
            return None
        made, node = _method(trace, made, source(prop), arguments.named_children, name), call
    if made is None or node == start:
        return None  # a moment that goes on living under a name of its own
    return node.start_byte, node.end_byte, made


def _moment(trace: Trace, call: Node) -> str | None:
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    if not given:
        return "DateTime.now()"
    value = trace.value(given[0])
    if len(given) == 2 and given[1].type == "string" and (form := _format(source(given[1])[1:-1])):
        return f"DateTime.fromFormat({source(given[0])}, '{form}')"
    if len(given) == 1 and isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}(?:T|$)", value):
        return f"DateTime.fromISO({source(given[0])})"
    if len(given) == 1 and source(given[0]).startswith("new Date("):
        return f"DateTime.fromJSDate({source(given[0])})"
    return None


def _method(trace: Trace, holder: str, name: str, given: list[Node], moment: str) -> str | None:
    if name in ("add", "subtract") and len(given) == 2 and given[1].type == "string":
        unit = _unit(source(given[1])[1:-1])
        return f"{holder}.{'plus' if name == 'add' else 'minus'}({{ {unit}: {source(given[0])} }})" if unit else None
    if name == "format":
        form = _format(source(given[0])[1:-1]) if given and given[0].type == "string" else None
        return f"{holder}.toFormat('{form}')" if form else None
    if name in ("startOf", "endOf") and len(given) == 1:
        unit = _unit(source(given[0]).strip("'\""))
        # Moment's week starts on Sunday, Luxon's on Monday.
        return f"{holder}.{name}('{unit.removesuffix('s')}')" if unit and unit != "weeks" else None
    if name in ("diff", "isBefore", "isAfter") and given and _callee(given[0]) == moment:
        other = _moment(trace, given[0])
        unit = _unit(source(given[1]).strip("'\"")) if len(given) == 2 else None
        if other and name == "diff" and unit:
            return f"Math.trunc({holder}.diff({other}, '{unit}').{unit})"
        return (
            f"({holder} {'<' if name == 'isBefore' else '>'} {other})" if other and len(given) == 1 and name != "diff" else None
        )
    plain = {"toDate": ".toJSDate()", "valueOf": ".toMillis()", "unix": ".toUnixInteger()", "toISOString": ".toUTC().toISO()"}
    plain |= {"year": ".year", "date": ".day", "hour": ".hour", "minute": ".minute", "isValid": ".isValid", "utc": ".toUTC()"}
    return f"{holder}{plain[name]}" if name in plain and not given else None


def _unit(word: str) -> str | None:
    plural = word.removesuffix("s") + "s"
    return _UNITS.get(word) or (plural if plural in (*_UNITS.values(), "quarters") else None)


def _format(form: str) -> str | None:
    """Luxon's tokens for Moment's; None where there is none for one of them."""
    parts, last = [], 0
    for found in _TOKENS.finditer(form):
        word = found.group()
        new = f"\\'{found.group(1)}\\'" if word.startswith("[") else word if word in _SAME else _FORMAT.get(word)
        if word == "T":
            new = "\\'T\\'"
        if new is None:
            return None
        parts += [form[last : found.start()], new]
        last = found.end()
    return "".join([*parts, form[last:]])


_MAKERS: dict[str, Callable[[Case, str, str], str | None]] = {
    "lodash": _without_lodash,
    "underscore": _without_lodash,
    "uuid": _without_uuid,
    "luxon": _without_luxon,
    "moment": _without_moment,
    "dayjs": _without_moment,
}
