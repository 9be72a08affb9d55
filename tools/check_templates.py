"""Compile every template of the hub and of its plugins: a syntax error or an unknown filter fails here, not in a visit."""

import sys

from jinja2 import TemplateError

from hub import create_app


def main() -> int:
    environment = create_app().jinja_env
    names = [name for name in environment.list_templates() if not name.startswith("bootstrap")]
    failures = []
    for name in names:
        try:
            environment.get_template(name)
        except TemplateError as error:
            failures.append(f"{name}: {error}")
    print("\n".join(failures) or f"templates: {len(names)} compile")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
