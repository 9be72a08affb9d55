"""Translations: `update` brings the .po files up to date with the code, `check` fails where one is incomplete.

`update` also makes a missing catalogue. One is complete when every text of the code is translated, none is fuzzy, and its
placeholders are the same.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ar",)  # English is the language of the code
METHODS = [("hub/**.py", "python"), ("plugins/**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def main() -> int:
    template = extract()
    problems = []
    for language in LANGUAGES:
        path = ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"
        catalogue = read(path, language)
        if "update" in sys.argv:
            catalogue.update(template, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
        problems += [f"{path.relative_to(ROOT)}: {problem}" for problem in problems_of(template, catalogue)]
    print("\n".join(problems) or f"translations: {len(template)} texts, all translated")
    return 1 if problems and "check" in sys.argv else 0


def extract() -> Catalog:
    """Every text that the code and the templates mark."""
    template = Catalog(charset="utf-8")
    for name, line, text, comments, context in extract_from_dir(
        ROOT, METHODS, keywords=KEYWORDS, comment_tags=("NOTE:",), directory_filter=is_source
    ):
        template.add(text, locations=[(name, line)], auto_comments=comments, context=context)
    return template


def is_source(folder: str) -> bool:
    """Whether `extract_from_dir` walks into a folder: not the environment's, caches and libraries."""
    parts = Path(folder).relative_to(ROOT).parts
    return not parts or parts[0] in ("hub", "plugins", "templates")


def read(path: Path, language: str) -> Catalog:
    """The catalogue of a file; an empty one where there is no file."""
    if not path.exists():
        return Catalog(locale=language, project="AI-HTTP Hub", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def problems_of(template: Catalog, catalogue: Catalog) -> Iterator[str]:
    """What is missing, fuzzy or has other placeholders than the text of the code."""
    for message in template:
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        text = message.id if isinstance(message.id, str) else message.id[0]
        if translated is None or not all(strings_of(translated)):
            yield f"not translated: {text!r}"
        elif translated.fuzzy:
            yield f"fuzzy: {text!r}"
        elif unknown := placeholders(*strings_of(translated)) - placeholders(*ids_of(message)):
            yield f"unknown placeholders {sorted(unknown)}: {text!r}"
        elif isinstance(message.id, str) and placeholders(message.id) != placeholders(*strings_of(translated)):
            yield f"missing placeholders: {text!r}"


def ids_of(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def strings_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def placeholders(*texts: str) -> set[str]:
    """Names between %( )s or { } in the texts."""
    return {found[1] or found[2] for text in texts for found in PLACEHOLDER.finditer(text)}


if __name__ == "__main__":
    sys.exit(main())
