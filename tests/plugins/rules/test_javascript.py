"""Small slips in JavaScript are repaired by the smallest edit that parses; what is no slip is left alone."""

from __future__ import annotations

import pytest

from plugins.analyzers.rules.javascript import is_code, is_expression, repair_await, repair_code, repair_expression

CODE = [
    ("const a = f(1, 2;\nreturn a;", "const a = f(1, 2);\nreturn a;"),
    ("const a = [1, 2;\nreturn a;", "const a = [1, 2];\nreturn a;"),
    ("const a = 'x;\nreturn a;", "const a = 'x';\nreturn a;"),
    ("return f(1));", "return f(1);"),
    ("const o = { a: 1 b: 2 };\nreturn o;", "const o = { a: 1, b: 2 };\nreturn o;"),
    ("if (x) {\n  if (y) {\n    z();\n}\nreturn 1;", "if (x) {\n  if (y) {\n    z();\n  }\n}\nreturn 1;"),
    ("const s = “x”;\nreturn s;", 'const s = "x";\nreturn s;'),
    ("const s = `a ${b;\nreturn s;", "const s = `a ${b}`;\nreturn s;"),
]
EXPRESSIONS = [
    (" $json.a + ", " $json.a "),
    (" $json..a ", " $json.a "),
    (" ($json.a + 1 ", " ($json.a + 1) "),
    (" 'a' + 'b ", " 'a' + 'b' "),
    (" $json.a) ", " $json.a "),
    (" $json.a ? 1 ", " $json.a ? 1 : '' "),
]


@pytest.mark.parametrize(("broken", "repaired"), CODE)
def test_code(broken: str, repaired: str) -> None:
    assert not is_code(broken)
    assert repair_code(broken) == repaired
    assert is_code(repaired)


@pytest.mark.parametrize(("broken", "repaired"), EXPRESSIONS)
def test_expressions(broken: str, repaired: str) -> None:
    assert not is_expression(broken)
    assert repair_expression(broken) == repaired


@pytest.mark.parametrize("code", ["return 1;", "const x = ;\nreturn x;", "x" * 30_000 + "("])
def test_code_without_a_small_repair_is_left_alone(code: str) -> None:
    assert repair_code(code) is None


def test_awaiting_callbacks_are_made_asynchronous() -> None:
    assert (
        repair_await("return l.map((x) => { return await f(x); });")
        == "return (await Promise.all(l.map(async (x) => { return await f(x); })));"
    )
    assert repair_await("l.forEach((x) => { await f(x); });") is None
