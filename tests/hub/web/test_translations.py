from __future__ import annotations

import gettext
import io
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUE = Path(__file__).resolve().parents[3] / "translations" / "ar" / "LC_MESSAGES" / "messages.po"


@pytest.fixture(scope="module")
def arabic() -> gettext.GNUTranslations:
    """The catalogue as it is compiled for the running hub."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="ar")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "لا عناصر"),
        (1, "عنصر واحد"),
        (2, "عنصران"),
        (3, "3 عناصر"),
        (10, "10 عناصر"),
        (11, "11 عنصرًا"),
        (99, "99 عنصرًا"),
        (100, "100 عنصر"),
        (102, "102 عنصر"),
        (103, "103 عناصر"),
        (111, "111 عنصرًا"),
    ],
)
def test_numbers_take_the_arabic_form_that_fits(arabic: gettext.GNUTranslations, count: int, words: str) -> None:
    """Babel's own rule for Arabic has the last two forms in another order than the usual one that this file declares."""
    assert arabic.ngettext("%(num)s item", "%(num)s items", count) % {"num": count} == words
