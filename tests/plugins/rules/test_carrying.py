"""Files and links that code loses are carried along where it is certain from which item each new one is made."""

from __future__ import annotations

import pytest

from plugins.analyzers.rules.carrying import with_files, with_links

MAPPED = "return $input.all().map((item) => ({ json: { a: 1 } }));"


@pytest.mark.parametrize(
    ("code", "files", "links"),
    [
        (
            MAPPED,
            "return $input.all().map((item) => ({ json: { a: 1 }, binary: item.binary }));",
            "return $input.all().map((item, itemIndex) => ({ json: { a: 1 }, pairedItem: itemIndex }));",
        ),
        (
            "for (const row of $input.all()) out.push({ json: { a: 1 } });\nreturn out;",
            "for (const row of $input.all()) out.push({ json: { a: 1 }, binary: row.binary });\nreturn out;",
            "for (const [itemIndex, row] of $input.all().entries()) "
            "out.push({ json: { a: 1 }, pairedItem: itemIndex });\nreturn out;",
        ),
        (
            "return $input.all().map(({ json }, i) => ({ json: { a: json.a } }));",
            "return $input.all().map(({ json, binary }, i) => ({ json: { a: json.a }, binary: binary }));",
            "return $input.all().map(({ json }, i) => ({ json: { a: json.a }, pairedItem: i }));",
        ),
        # After a filter the positions are others, and one item made of all comes from none of them.
        ("return $input.all().filter((i) => i.json.a).map((i) => ({ json: { a: 1 } }));", None, None),
        ("return [{ json: { count: $input.all().length } }];", None, None),
        ("const items = $('Other').all();\nreturn items.map((i) => ({ json: { a: 1 } }));", None, None),
    ],
)
def test_new_items_keep_what_came_with_the_old_ones(code: str, files: str | None, links: str | None) -> None:
    assert with_files(code, each_item=False, single=False) == files
    assert with_links(code) == links


def test_the_only_item_and_each_item_need_no_loop() -> None:
    assert with_files("return [{ json: { a: 1 } }];", each_item=False, single=True) is not None
    assert (
        with_files("return { json: { a: 1 } };", each_item=True, single=False)
        == "return { json: { a: 1 }, binary: $input.item.binary };"
    )
