"""The part of a GraphQL schema that some documents use: enough to check them again, and nothing else.

Objects keep the fields that are selected, with all their arguments; inputs keep the fields that are given and those that must be;
enums keep the values that are given. Descriptions are left out.
"""

import json
from collections.abc import Iterable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    is_scalar_type,
    parse,
    specified_directives,
    type_from_ast,
    validate,
    visit,
)

_BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}


def excerpt_schema(introspection: dict[str, Any], documents: Iterable[tuple[str, str]]) -> str:
    """SDL for ``(document, its variables as JSON)``; ValueError where one does not fit the whole schema."""
    schema = build_client_schema(introspection, assume_valid=True)
    fields: dict[str, set[str]] = {}
    enums: dict[str, set[str]] = {}
    for document, variables in documents:
        tree = parse(document)
        problems = validate(schema, tree)
        if problems:
            raise ValueError(f"{document}: {problems[0].message}")
        _collect_selected(schema, tree, fields, enums)
        values = json.loads(variables or "{}")
        for definition in tree.definitions:
            for variable in definition.variable_definitions or ():
                _collect_input(type_from_ast(schema, variable.type), values.get(variable.variable.name.value), fields, enums)
    return _print(schema, fields, enums)


def _collect_selected(schema: GraphQLSchema, tree: Any, fields: dict[str, set[str]], enums: dict[str, set[str]]) -> None:
    info = TypeInfo(schema)

    class Collector(Visitor):
        def enter_field(self, node: Any, *_rest: Any) -> None:
            fields.setdefault(info.get_parent_type().name, set()).add(node.name.value)
            _collect_input(info.get_type(), None, {}, enums)

        def enter_enum_value(self, node: Any, *_rest: Any) -> None:
            enums.setdefault(get_named_type(info.get_input_type()).name, set()).add(node.value)

    visit(tree, TypeInfoVisitor(info, Collector()))


def _collect_input(kind: Any, value: Any, fields: dict[str, set[str]], enums: dict[str, set[str]]) -> None:
    named = get_named_type(kind)
    for each in value if isinstance(value, list) else [value]:
        if isinstance(named, GraphQLEnumType):
            enums.setdefault(named.name, set()).update([each] if each else [])
        elif isinstance(named, GraphQLInputObjectType):
            kept = fields.setdefault(named.name, set())
            needed = {
                name
                for name, field in named.fields.items()
                if isinstance(field.type, GraphQLNonNull) and field.default_value is None
            }
            for name in {*(each or {}), *needed} - (set() if each else kept):
                kept.add(name)
                _collect_input(named.fields[name].type, (each or {}).get(name), fields, enums)


def _print(schema: GraphQLSchema, fields: dict[str, set[str]], enums: dict[str, set[str]]) -> str:
    scalars: set[str] = set()
    blocks = []
    for name in sorted(fields):
        lines = []
        for field_name in sorted(fields[name]):
            field = schema.type_map[name].fields[field_name]
            arguments = getattr(field, "args", {})
            needed = {key: each for key, each in arguments.items() if _is_known(each.type, fields, enums)}
            for kind in (field.type, *(each.type for each in needed.values())):
                scalars |= {get_named_type(kind).name} if is_scalar_type(get_named_type(kind)) else set()
            words = ", ".join(f"{key}: {each.type}{_default(each)}" for key, each in sorted(needed.items()))
            reason = f" @deprecated(reason: {json.dumps(field.deprecation_reason)})" if field.deprecation_reason else ""
            lines.append(f"  {field_name}{f'({words})' if words else ''}: {field.type}{reason}")
        word = "input" if isinstance(schema.type_map[name], GraphQLInputObjectType) else "type"
        blocks.append(f"{word} {name} {{\n" + "\n".join(lines) + "\n}")
    for name in sorted(enums):
        kept = enums[name] or {next(iter(schema.type_map[name].values))}
        blocks.append(f"enum {name} {{\n" + "\n".join(f"  {value}" for value in sorted(kept)) + "\n}")
    blocks += [f"scalar {name}" for name in sorted(scalars - _BUILT_IN)]
    known = {directive.name for directive in specified_directives}
    for directive in schema.directives:
        if directive.name not in known:
            words = ", ".join(f"{key}: {each.type}" for key, each in directive.args.items())
            blocks.append(f"directive @{directive.name}({words}) on {' | '.join(place.name for place in directive.locations)}")
    roots = [
        f"  {word}: {kind.name}"
        for word, kind in (("query", schema.query_type), ("mutation", schema.mutation_type))
        if kind.name in fields
    ]
    return "\n\n".join(["schema {\n" + "\n".join(roots) + "\n}", *blocks]) + "\n"


def _is_known(kind: Any, fields: dict[str, set[str]], enums: dict[str, set[str]]) -> bool:
    named = get_named_type(kind)
    return is_scalar_type(named) or named.name in fields or named.name in enums


def _default(argument: Any) -> str:
    return f" = {json.dumps(argument.default_value)}" if isinstance(argument.default_value, (bool, int)) else ""
