"""Lets code carry along what its items lost: the file that came with an item, and the number of the item behind it."""

from __future__ import annotations

import re

from tree_sitter import Node

from plugins.analyzers.rules.javascript import is_code, parse, replace_range, source, walk

_ALL = ("$input.all()", "items")


def with_files(code: str, *, each_item: bool, single: bool) -> str | None:
    """The code whose new items keep the files of the items that they are made from."""
    return _with_property(code, "binary", each_item=each_item, single=single)


def with_links(code: str) -> str | None:
    """The code whose new items say from which item they are made."""
    return _with_property(code, "pairedItem", each_item=False, single=False)


def _with_property(code: str, key: str, *, each_item: bool, single: bool) -> str | None:
    """The property in every item that the code makes; None where one of them is not made from a single item."""
    made = _made_items(code)
    if not made or any(_has(item, key) for item in made):
        return None
    for _ in made:
        item = next((entry for entry in _made_items(code) if not _has(entry, key)), None)
        changed = _given(code, item, key, each_item=each_item, single=single) if item is not None else None
        if changed is None:
            return None
        code = changed
    return code if is_code(code) else None


def _made_items(code: str) -> list[Node]:
    """The objects of the code that are items: those with a ``json`` of their own."""
    return [node for node in walk(parse(code).root_node) if node.type == "object" and _has(node, "json")]


def _has(item: Node, name: str) -> bool:
    keys = [child.child_by_field_name("key") or child for child in item.named_children]
    return any(source(key).strip("'\"") == name for key in keys)


def _given(code: str, item: Node, key: str, *, each_item: bool, single: bool) -> str | None:
    comma = "" if source(item)[:-1].rstrip().endswith(",") else ","
    start = item.named_children[-1].end_byte
    tail = source(item)[start - item.start_byte : -1]
    body = replace_range(code, start, item.end_byte, f"{tail.rstrip()}{comma} {key}: \ue000 }}")
    if each_item:
        return body.replace("\ue000", "$input.item.binary")
    loop = _loop(item)
    if loop is None:
        return body.replace("\ue000", "$input.first().binary") if single and key == "binary" else None
    kind, node, entry, number = loop
    if key == "binary" and entry:
        return body.replace("\ue000", f"{entry}.binary")
    if key == "binary":
        pattern = next((child for child in node.named_children if child.type == "object_pattern"), None)
        if pattern is None or _has(pattern, "binary"):
            return None
        taken = f"{source(pattern)[:-1].rstrip().rstrip(',')}, binary }}"
        return replace_range(body, pattern.start_byte, pattern.end_byte, taken).replace("\ue000", "binary")
    if number:
        return body.replace("\ue000", number)
    # The parameter or the loop stands before the item, so its offsets hold in the changed text too.
    if kind == "map":
        return replace_range(body, node.start_byte, node.end_byte, f"({source(node).strip('()')}, itemIndex)").replace(
            "\ue000", "itemIndex"
        )
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return None
    new = replace_range(body, right.start_byte, right.end_byte, f"{source(right)}.entries()")
    return replace_range(new, left.start_byte, left.end_byte, f"[itemIndex, {source(left)}]").replace("\ue000", "itemIndex")


def _loop(item: Node) -> tuple[str, Node, str, str] | None:
    """The loop over all input items around an item: its kind, what binds the entry, and the names of the entry and its number."""
    node = item.parent
    while node is not None:
        if node.type == "for_in_statement":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None:
                return None
            if _is_all(right):
                return "for", node, source(left) if left.type == "identifier" else "", ""
            numbered = re.fullmatch(r"\[\s*(\w+)\s*,\s*(\w+)\s*\]", source(left))
            if (
                numbered
                and source(right).endswith(".entries()")
                and _is_all_text(source(right).removesuffix(".entries()"), right)
            ):
                return "for", node, numbered.group(2), numbered.group(1)
        if node.type == "arrow_function" and (found := _callback(node)):
            return found
        node = node.parent
    return None


def _callback(function: Node) -> tuple[str, Node, str, str] | None:
    call = function.parent.parent if function.parent is not None else None
    method = call.child_by_field_name("function") if call is not None else None
    prop = method.child_by_field_name("property") if method is not None else None
    holder = method.child_by_field_name("object") if method is not None else None
    if prop is None or holder is None or source(prop) not in ("map", "flatMap", "forEach") or not _is_all(holder):
        return None
    single, several = function.child_by_field_name("parameter"), function.child_by_field_name("parameters")
    if single is not None:
        return "map", single, source(single), ""
    names = several.named_children if several is not None else []
    if several is None or not names or names[0].type not in ("identifier", "object_pattern"):
        return None
    number = source(names[1]) if len(names) > 1 and names[1].type == "identifier" else ""
    return "map", several, source(names[0]) if names[0].type == "identifier" else "", number


def _is_all(node: Node) -> bool:
    return _is_all_text(source(node), node)


def _is_all_text(text: str, node: Node) -> bool:
    """Whether these are all items of the input in their order, by themselves or by a name given to them."""
    if text in _ALL:
        return not (text == "items" and _value_of(text, node) not in (None, "$input.all()"))
    return _value_of(text, node) == "$input.all()"


def _value_of(name: str, node: Node) -> str | None:
    root = node
    while root.parent is not None:
        root = root.parent
    for entry in walk(root):
        declared = entry.child_by_field_name("name") if entry.type == "variable_declarator" else None
        value = entry.child_by_field_name("value") if declared is not None else None
        if declared is not None and value is not None and source(declared) == name:
            return source(value)
    return None
