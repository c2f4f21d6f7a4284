#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the site: lays out the documents of the repository as pages, and runs mkdocs.

Pages keep the paths of their files, so their links hold. A link to a file that is no page
leads to a page with the text of that file, one to a folder to a list of its files. What
GitHub and Python-Markdown read differently is rewritten here, and never in the documents.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Dict, List, Set

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
REPORT = ROOT / "build" / "conformance" / "report.md"
NO_REPORT = """# The conformance report

It is not part of this build: `make conformance` writes it, and `make site` then shows it.
"""

PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
ALSO = ["core/polysock.h"]
"""Files that are shown, though perhaps no page links to them."""

LANGUAGES = {".h": "c", ".c": "c", ".lua": "lua", ".py": "python"}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCED = re.compile(r"(?ms)^ *```.*?^ *```$|`[^`\n]*`")
TABLE = re.compile(r"(?s)<table>\n<tr>(.*?)</tr>\n<tr>(.*?)</tr>\n</table>\n")
DETAILS = re.compile(r"(?s)<details><summary>(?:In )?(.*?)</summary>\n(.*?)</details>\n")


def tab(title: str, body: str) -> str:
    return f'=== "{title}"\n\n' + textwrap.indent(body.strip(), "    ") + "\n\n"


def with_tabs(text: str) -> str:
    """Makes tabs of a table of code blocks, and of folded parts below it."""

    def tabs(found: re.Match[str]) -> str:
        titles = re.findall(r"<th>(.*?)</th>", found[1])
        bodies = re.findall(r"(?s)<td>(.*?)</td>", found[2])
        return "".join(map(tab, titles, bodies))

    text = TABLE.sub(tabs, text)
    return DETAILS.sub(lambda found: tab(found[1], found[2]), text)


class Site:
    def __init__(self, pages: Path) -> None:
        self._pages = pages
        self._shown: Set[str] = set()
        self._left: List[str] = []

    def build(self) -> None:
        documents = [
            *PAGES,
            *(f"docs/{its.name}" for its in (ROOT / "docs").glob("*.md")),
        ]
        documents.append("tests/conformance/README.md")
        self._shown.update(documents)
        for name in documents:
            self._write(name, self._page(name, (ROOT / name).read_text()))
        report = REPORT.read_text() if REPORT.exists() else NO_REPORT
        self._write("docs/conformance-report.md", report)
        for image in (ROOT / "docs").glob("*.svg"):
            shutil.copy(image, self._pages / "docs")
        shutil.copy(ROOT / "tools" / "site" / "site.css", self._pages)
        for name in ALSO:
            self._show(name)
        while self._left:
            self._source(self._left.pop())

    def _write(self, name: str, text: str) -> None:
        path = self._pages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _show(self, name: str) -> str:
        """Returns the page of a file or a folder, which is written later."""
        if name in self._shown:
            return name
        page = f"{name}/index.md" if (ROOT / name).is_dir() else f"{name}.md"
        if page not in self._shown:
            self._shown.add(page)
            self._left.append(name)
        return page

    def _page(self, name: str, text: str) -> str:
        """Returns a document, whose links lead to pages."""
        folder = os.path.dirname(name)

        def link(found: re.Match[str]) -> str:
            target, mark, anchor = found[2].partition("#")
            path = os.path.normpath(os.path.join(folder, target))
            if not target or ":" in target or path.endswith(".svg"):
                return found[0]
            if not (ROOT / path).exists():
                sys.exit(f"{name}: there is no {target}")
            return (
                found[1]
                + os.path.relpath(self._show(path), folder or ".")
                + mark
                + anchor
                + found[3]
            )

        kept: Dict[str, str] = {}

        def keep(found: re.Match[str]) -> str:
            key = f"\0{len(kept)}\0"
            kept[key] = found[0]
            return key

        text = LINK.sub(link, FENCED.sub(keep, text))
        text = re.sub("\0\\d+\0", lambda found: kept[found[0]], text)
        return with_tabs(text)

    def _source(self, name: str) -> None:
        path = ROOT / name
        head = "---\nsearch:\n  exclude: true\n---\n\n"
        if path.is_dir():
            tracked = subprocess.run(
                ["git", "ls-files", "--", name], cwd=ROOT, capture_output=True, text=True
            ).stdout.split()
            files = tracked or sorted(
                str(its.relative_to(ROOT)) for its in path.iterdir()
            )
            entries = (
                f"- [{its}]({os.path.relpath(self._show(its), name)})\n" for its in files
            )
            self._write(f"{name}/index.md", f"{head}# {name}\n\n" + "".join(entries))
            return
        language = LANGUAGES.get(path.suffix, "text")
        text = f"{head}# {name}\n\n````{language}\n{path.read_text()}````\n"
        self._write(f"{name}.md", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="say only what is wrong")
    chosen = parser.parse_args()
    shutil.rmtree(SITE, ignore_errors=True)
    pages = SITE / "pages"
    (pages / "docs").mkdir(parents=True)
    Site(pages).build()
    config = ROOT / "tools" / "site" / "mkdocs.yml"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run([*command, "--quiet"] if chosen.quiet else command, env=env)
    if done.returncode == 0 and not chosen.quiet:
        print(
            "python3 -m http.server -d build/site/html shows it (search needs a server)"
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
