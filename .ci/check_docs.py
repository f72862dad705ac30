"""Fails when the documentation, or the tree, says something that only its author can follow.

Relative links and anchors in README.md, CONTRIBUTING.md and docs/ must resolve; no tracked file
may name a path of the machine it was written on; no lock file may be committed.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)|(?:href|src)=\"([^\"]+)\"")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
HTML_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)

# Spelled in pieces, so that this file does not find itself.
MACHINE_PATHS = [
    "/".join(pieces)
    for pieces in (
        ("", "work", ""),
        ("", "root", ""),
        ("", "opt", "pypi"),
        ("", "opt", "wheels"),
        ("", "tmp", "w", ""),
        ("..", "shared"),
    )
]
MACHINE_PATH = re.compile("|".join(rf"(?<![\w.-]){re.escape(path)}" for path in MACHINE_PATHS))
LOCK_FILES = {"package-lock.json", "pnpm-lock.yaml", "npm-shrinkwrap.json"}


def tracked_files() -> list[Path]:
    """Every file git knows, or would add: what a clone of this tree holds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def anchors(page: Path) -> set[str]:
    """The fragments of a page, as GitHub makes them from headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set(HTML_ANCHOR.findall(text))
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        unique, n = slug, 0
        while unique in found:
            n += 1
            unique = f"{slug}-{n}"
        found.add(unique)
    return found


def links(page: Path) -> Iterator[str]:
    """Where a page points, outside its code."""
    text = INLINE_CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    for markdown, html in LINK.findall(text):
        yield markdown or html
    yield from REFERENCE.findall(text)


def broken_links(page: Path) -> Iterator[str]:
    """One line for each relative link of a page that leads nowhere."""
    where = page.relative_to(ROOT)
    for link in links(page):
        if SCHEME.match(link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists():
            yield f"{where}: {link} leads nowhere"
        elif fragment and target.suffix == ".md" and unquote(fragment) not in anchors(target):
            yield f"{where}: {link} names a heading that is not there"


def machine_paths(file: Path) -> Iterator[str]:
    """One line for each mention of a path that exists only where the file was written."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if found := MACHINE_PATH.search(line):
            yield f"{file.relative_to(ROOT)}:{number}: names {found.group()}"


def main() -> int:
    """The number of complaints, printed, as a process wants it: zero or one."""
    files = tracked_files()
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    complaints = [complaint for page in pages for complaint in broken_links(page)]
    complaints += [complaint for file in files for complaint in machine_paths(file)]
    complaints += [
        f"{file.relative_to(ROOT)}: a lock file names the host it was made on"
        for file in files
        if file.suffix == ".lock" or file.name in LOCK_FILES
    ]
    print(
        *complaints,
        f"{len(pages)} pages, {len(files)} files, {len(complaints)} complaints",
        sep="\n",
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
