"""Between the hub's placeholders and n8n's expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.http_builder.n8n.expressions import find_names, from_n8n, split_expression, to_n8n
from hub.http_builder.rendering import is_expression

READ_X = "$('Variables').item.json.X"


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("plain", "plain"),
        ("=SUM(A1)", '={{ "=SUM(A1)" }}'),
        ("={{ $json.id }}", "={{ $json.id }}"),
        ("= {{ $json.id }}{{X}}", "= {{ $json.id }}{{X}}"),
        ("{{X}}", f"={{{{ {READ_X} }}}}"),
        ("a {{ X }} b", f"=a {{{{ {READ_X} }}}} b"),
        ("{{shop.name}}", "={{ $('Variables').item.json['shop.name'] }}"),
        ("{{ $json.id }}", "{{ $json.id }}"),
        # Backslashes before code are read in pairs, and a brace would begin the code too early.
        (r"C:\dir\{{X}}\\", rf"=C:\\dir\\{{{{ {READ_X} }}}}\\"),
        ("{{{X}}}", f'={{{{ "{{" }}}}{{{{ {READ_X} }}}}}}'),
        ("{{ not ours {{X}}", f'={{{{ "{{{{" }}}} not ours {{{{ {READ_X} }}}}'),
        ("=}}", '={{ "=}\\u007d" }}'),
    ],
)
def test_a_text_for_n8n(text: str, expression: str) -> None:
    assert to_n8n(text) == expression


def test_another_node_may_hold_the_values() -> None:
    expression = to_n8n("{{X}}", node="It's mine")
    assert expression == r"={{ $('It\'s mine').item.json.X }}"
    assert from_n8n(expression, node="It's mine") == "{{X}}"
    assert from_n8n(expression) == expression


def test_values_in_json_strings_are_escaped_there() -> None:
    expression = to_n8n('{"a": "{{X}}", "b": {{X}}}', form="json")
    assert expression == f'={{"a": "{{{{ JSON.stringify({READ_X}).slice(1, -1) }}}}", "b": {{{{ {READ_X} }}}}}}'
    assert from_n8n(expression) == '{"a": "{{X}}", "b": {{X}}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=https://example.com", "https://example.com"),
        ('={{ "a" }}', "a"),
        ("={{ $json.id }}", "={{ $json.id }}"),
        ("={{ 'x' }}", "={{ 'x' }}"),
        # These stand for literal texts that the hub would take for something else.
        ('={{ "{{X}}" }}', '={{ "{{X}}" }}'),
        ('={{ "={{" }}', '={{ "={{" }}'),
    ],
)
def test_a_text_from_n8n(value: str, text: str) -> None:
    assert from_n8n(value) == text


def test_an_expression_is_split_as_n8n_splits_it() -> None:
    assert list(split_expression("a\\\\b {{ c }} \\\\d")) == [(False, "a\\b "), (True, " c "), (False, " \\\\d")]
    assert list(split_expression("\\{{ a {{ b")) == [(False, "\\{{ a "), (True, " b")]


PIECES = st.lists(
    st.sampled_from(["{{X}}", "{{ Y.z }}", "{{$uuid}}", "{", "}", "{{", "}}", "\\", "=", '"', "a", " ", "é\n", "'"])
)


@given(PIECES.map("".join))
def test_nothing_is_lost_on_the_way_there_and_back(text: str) -> None:
    again = from_n8n(to_n8n(text))
    if not is_expression(text):
        assert again.replace(" ", "") == text.replace(" ", "")  # {{ X }} and {{X}} are the same
        assert find_names(again) == find_names(text)
