"""Build static/vendor/ from the locked npm packages: htmx, fonts, the icon sprite and the code editor, and nothing else.

Usage: python tools/vendor.py [--force]
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from node import ROOT, Node, find_node

MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
# Names of lucide icons, one a line; each becomes <symbol id="name"> of icons.svg.
ICONS = Path(__file__).with_name("icons.txt")
# What the code editor exports; esbuild makes one file of it and of what it needs.
EDITOR = Path(__file__).with_name("codemirror.js")
INPUTS = (ROOT / "package-lock.json", Path(__file__), ICONS, EDITOR)

SCRIPTS = ("htmx.org/dist/htmx.min.js",)

# Package, style sheet, and the font faces taken from it: Latin from Inter, Arabic from IBM Plex.
FONTS = (
    ("@fontsource-variable/inter", "wght.css", ("inter-latin-wght-normal", "inter-latin-ext-wght-normal")),
    ("@fontsource/ibm-plex-sans-arabic", "400.css", ("ibm-plex-sans-arabic-arabic-400-normal",)),
    ("@fontsource/ibm-plex-sans-arabic", "500.css", ("ibm-plex-sans-arabic-arabic-500-normal",)),
    ("@fontsource/ibm-plex-sans-arabic", "600.css", ("ibm-plex-sans-arabic-arabic-600-normal",)),
)


FONT_FACE = re.compile(r"/\* (?P<name>[\w\[\]-]+) \*/\s*(?P<face>@font-face \{[^}]+\})")
SVG = re.compile(r"<svg[^>]*>(?P<shapes>.*)</svg>", re.DOTALL)


def main() -> None:
    fingerprint = hashlib.sha256(b"".join(path.read_bytes() for path in INPUTS)).hexdigest()
    stamp = VENDOR / ".fingerprint"
    if "--force" not in sys.argv and stamp.exists() and stamp.read_text() == fingerprint:
        return
    node = find_node(minimum=18)
    node.run_npm("ci", "--no-progress", "--loglevel=error", folder=ROOT)
    shutil.rmtree(VENDOR, ignore_errors=True)
    (VENDOR / "fonts").mkdir(parents=True)
    for script in SCRIPTS:
        shutil.copy(MODULES / script, VENDOR)
    write_fonts()
    write_icons()
    write_editor(node)
    write_licenses()
    stamp.write_text(fingerprint)
    size = sum(path.stat().st_size for path in VENDOR.rglob("*"))
    print(f"static/vendor: {size // 1024} KiB")


def write_fonts() -> None:
    """Copy the wanted font faces and write fonts.css with their @font-face rules."""
    rules = []
    for package, sheet, wanted in FONTS:
        faces = {found["name"]: found["face"] for found in FONT_FACE.finditer((MODULES / package / sheet).read_text())}
        for name in wanted:
            shutil.copy(MODULES / package / "files" / f"{name}.woff2", VENDOR / "fonts")
            rules.append(re.sub(r"src: [^;]+;", f"src: url(fonts/{name}.woff2) format('woff2');", faces[name]))
    (VENDOR / "fonts.css").write_text("\n".join(rules) + "\n")


def write_icons() -> None:
    """Write icons.svg, a sprite whose symbols take colour and size from where they are used."""
    symbols = []
    for name in ICONS.read_text().split():
        shapes = SVG.search((MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text())["shapes"]
        drawing = " ".join(shapes.split()).replace("> <", "><")
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
            f' stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
        )
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (VENDOR / "icons.svg").write_text(sprite)


def write_editor(node: Node) -> None:
    """Bundle the code editor; the same packages give the same bytes."""
    program = MODULES / ".bin" / "esbuild"
    options = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=warning")
    environment = os.environ | {"PATH": f"{node.program.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [program, EDITOR, *options, f"--outfile={VENDOR / 'codemirror.js'}"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def write_licenses() -> None:
    """Keep the licence of everything that is served beside it, what the bundle brings along too."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    names = [path.removeprefix("node_modules/") for path, package in packages.items() if path and not package.get("dev")]
    texts = [f"{name}\n\n{(MODULES / name / 'LICENSE').read_text().strip()}\n" for name in names]
    (VENDOR / "LICENSES.txt").write_text(f"\n{'-' * 80}\n\n".join(texts))


if __name__ == "__main__":
    main()
