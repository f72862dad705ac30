"""Writes docs/fidelity.md from the table of behaviours; --check fails where that differs.

The rows are those of tests/fidelity/behaviours.toml and of the code's own tables.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Last, so that the installed library comes before anything of the checkout.
sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from fidelity.behaviours import Behaviour, Subject, behaviours

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fidelity.md"

MEANINGS = {
    "documented": "A document of Mercado Pago or Mercado Libre, or the source of an official SDK,"
    " says so",
    "observed": "It is in public captures or threads, or in code written after seeing it",
    "guess": "An inference, an RFC where Mercado Pago is silent, or the sandbox's own choice",
}

BEGINNING = """\
# How faithful, behaviour by behaviour

<!-- Made by .ci/make_fidelity.py from tests/fidelity/behaviours.toml. Change that, not this. -->

Whatever an application can notice on the wire is a row below: what the sandbox does, how well it is
known that Mercado Pago does it, from where, how to change it, and the test that holds it. Nothing
was measured by calling the live service. Everything comes from public documents, official SDKs, and
what people have shown of their traffic.

| Evidence | What it means | Rows |
|---|---|---|
{counts}
A document may be wrong or old, and an old capture too: where they contradict each other, the source
says so. "MP" is Mercado Pago's documentation, "ML" that of Mercado Libre, which shares the same
authorization platform; what is known of one is likely, not certain, for the other. Third-party
projects are counted, not named.

Every rule can be removed: for each row a mutation takes it out of a copy of the code, and the test
named beside it fails. CI does so for 20 rows drawn anew with each change
(`.ci/remove_rules.py --all` does it for all).

## Change a switch

Rows with a switch can behave otherwise. The switches are the fields of
[`Profile`](../mp_oauth_sandbox/core/profile.py); the alternatives are in their text, which is the
source given here. Three ways to change one:

```sh
# switches.toml: base = "strict" (or default, legacy), then lines such as token_type = "bearer"
mp-oauth-sandbox serve --profile switches.toml
```

```python
Sandbox().change_profile(token_type="bearer")
```

```sh
curl -X PATCH http://127.0.0.1:8970/_sandbox/profile \\
    -H 'Content-Type: application/json' -d '{{"token_type": "bearer"}}'
```
"""

END = """
## Add or correct a row

Evidence that contradicts a row is most welcome. A row is an entry of
`tests/fidelity/behaviours.toml`, with its test and the mutation that the test must notice. What the
code's own tables tell is not repeated there: the words and the source of a refusal come from its
rule in `mp_oauth_sandbox/core/refusals.py`, the source of a switch from the field of `Profile`.
Then:

```sh
.venv/bin/python .ci/remove_rules.py THE-ROW
.venv/bin/python .ci/make_fidelity.py
```
"""


def page() -> str:
    """The whole page."""
    rows = behaviours()
    counted = Counter(row.evidence for row in rows)
    counts = "".join(
        f"| {evidence} | {meaning} | {counted[evidence]} |\n"
        for evidence, meaning in MEANINGS.items()
    )
    parts = [BEGINNING.format(counts=counts)]
    for subject in Subject:
        lines = "\n".join(table([row for row in rows if row.subject is subject]))
        parts.append(f"\n## {subject}\n\n{lines}\n")
    return "".join([*parts, END])


def table(rows: list[Behaviour]) -> Iterator[str]:
    """The lines of one table."""
    yield "| Behaviour | Evidence | Source | Switch | Test |"
    yield "|---|---|---|---|---|"
    for row in rows:
        switch = f"`{row.switch}`" if row.switch else ""
        cells = (cell.replace("|", "\\|") for cell in (row.what, row.evidence, row.source))
        yield f"| {' | '.join(cells)} | {switch} | {linked(row.test)} |"


def linked(test: str) -> str:
    """A test's name as the sentence that it is, leading to its file."""
    file, _, name = test.partition("::")
    name, _, case = name.partition("[")
    sentence = name.removeprefix("test_").replace("_", " ")
    chosen = f" ({case.rstrip(']').replace('_', ' ')})" if case else ""
    return f"[{sentence}](../{file}){chosen}"


def main() -> int:
    """Zero when the page is written, or is as it should be."""
    made = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)}: {len(behaviours())} rows")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made:
        print(f"{PAGE.relative_to(ROOT)} is up to date: {len(behaviours())} rows")
        return 0
    print(f"{PAGE.relative_to(ROOT)} is out of date: run .ci/make_fidelity.py and commit it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
