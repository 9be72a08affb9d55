"""The check of the translations finds what people would stumble over."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog

FILE = Path(__file__).resolve().parents[2] / "tools" / "translations.py"


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "translated", "flags", "problem"),
    [
        ("Save", "حفظ", (), None),
        ("Save", "", (), "not translated: 'Save'"),
        ("Save", "حفظ", ("fuzzy",), "fuzzy: 'Save'"),
        ("Hello %(name)s", "مرحبا", (), "missing placeholders: 'Hello %(name)s'"),
        ("Hello %(name)s", "مرحبا %(nmae)s", (), "unknown placeholders ['nmae']: 'Hello %(name)s'"),
        ("Hello %(name)s", "مرحبا %(name)s", (), None),
    ],
)
def test_problems_of_one_text(
    translations: ModuleType, text: str, translated: str, flags: tuple[str, ...], problem: str | None
) -> None:
    template, catalogue = Catalog(), Catalog(locale="ar")
    template.add(text)
    catalogue.add(text, translated, flags=flags)
    assert list(translations.problems_of(template, catalogue)) == ([problem] if problem else [])


def test_text_that_the_catalogue_lacks(translations: ModuleType) -> None:
    template = Catalog()
    template.add("Save")
    assert list(translations.problems_of(template, Catalog(locale="ar"))) == ["not translated: 'Save'"]


def test_every_plural_form_is_wanted(translations: ModuleType) -> None:
    """Arabic has six; one that is missing leaves a hole for some numbers."""
    template, catalogue = Catalog(), Catalog(locale="ar")
    template.add(("%(num)s row", "%(num)s rows"))
    catalogue.add(("%(num)s row", "%(num)s rows"), ("صف واحد", "%(num)s صفوف", "", "", "", ""))
    assert list(translations.problems_of(template, catalogue)) == ["not translated: '%(num)s row'"]
