"""Write newsletter/clients/facts.json anew: what mail clients support, from the npm package caniemail.

Run ``./dev update-clients`` (needs npm), or ``./dev update-clients FILE.tgz`` for a package that is already here.
Version and integrity are pinned below. Nothing in the package is read before its bytes are verified, nothing of it is
run, and nothing is unpacked: the two files that are needed are read out of the archive in memory.

To go to a new version: change VERSION, run it, and put the integrity that it prints into INTEGRITY after comparing it
with ``npm view caniemail@VERSION dist.integrity``. Then run it again and read the diff.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from newsletter.workspace.files import write_atomic

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "newsletter" / "clients" / "facts.json"
NOTICE = ROOT / "newsletter" / "clients" / "facts.LICENSE"

VERSION = "2.0.2"
INTEGRITY = "sha512-lvhn4RrF2Ae3PQA3HMOVGxFPqPAxfv8HWp+xUSqJPumbzFUzQGVgFG0nl8s0sjSoBd2PgmAqB5xRF0wcPbrVcA=="

# The package's own notice names its two authors; the tests it packs are published by caniemail.com under MIT as well.
TESTS_NOTICE = "Copyright (c) 2019 HTeuMeuLeu"
DATA = "package/data/caniemail.json"
LICENCE = "package/LICENSE"
MOST_BYTES = 8 * 1024 * 1024

# What an editor calls a client, and the platforms of caniemail that belong to it. Left out on purpose: Gmail's basic
# mobile web page (nearly nobody opens it, and it would speak for all of Gmail), Windows Mail (withdrawn at the end of
# 2024), and clients of which caniemail has tested only a few features (Free.fr, T-Online, WP.pl, RainLoop).
FAMILIES: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "apple-mail": ("Apple Mail", (("apple-mail", "macos", "macOS"), ("apple-mail", "ios", "iOS"))),
    "gmail": (
        "Gmail",
        (("gmail", "desktop-webmail", "web"), ("gmail", "ios", "iOS"), ("gmail", "android", "Android")),
    ),
    "outlook-windows": ("Outlook for Windows", (("outlook", "windows", "Windows"),)),
    "outlook-com": ("Outlook.com and the new Outlook", (("outlook", "outlook-com", "web"),)),
    "outlook-mac": ("Outlook for Mac", (("outlook", "macos", "macOS"),)),
    "outlook-mobile": ("Outlook on phones", (("outlook", "ios", "iOS"), ("outlook", "android", "Android"))),
    "yahoo": (
        "Yahoo Mail and AOL",
        (
            ("yahoo", "desktop-webmail", "Yahoo web"),
            ("yahoo", "ios", "Yahoo iOS"),
            ("yahoo", "android", "Yahoo Android"),
            ("aol", "desktop-webmail", "AOL web"),
            ("aol", "ios", "AOL iOS"),
            ("aol", "android", "AOL Android"),
        ),
    ),
    "samsung": ("Samsung Email", (("samsung-email", "android", "Android"),)),
    "thunderbird": ("Thunderbird", (("thunderbird", "macos", "macOS"), ("thunderbird", "windows", "Windows"))),
    "proton": (
        "Proton Mail",
        (
            ("protonmail", "desktop-webmail", "web"),
            ("protonmail", "ios", "iOS"),
            ("protonmail", "android", "Android"),
        ),
    ),
    "gmx": (
        "GMX and WEB.DE",
        (
            ("gmx", "desktop-webmail", "GMX web"),
            ("gmx", "ios", "GMX iOS"),
            ("gmx", "android", "GMX Android"),
            ("web-de", "desktop-webmail", "WEB.DE web"),
            ("web-de", "ios", "WEB.DE iOS"),
            ("web-de", "android", "WEB.DE Android"),
        ),
    ),
    "ionos": ("IONOS", (("ionos-1and1", "desktop-webmail", "web"), ("ionos-1and1", "android", "Android"))),
    "fastmail": ("Fastmail", (("fastmail", "desktop-webmail", "web"),)),
    "hey": ("HEY", (("hey", "desktop-webmail", "web"),)),
    "mail-ru": ("Mail.ru", (("mail-ru", "desktop-webmail", "web"),)),
    "orange": (
        "Orange",
        (("orange", "desktop-webmail", "web"), ("orange", "ios", "iOS"), ("orange", "android", "Android")),
    ),
    "sfr": ("SFR", (("sfr", "desktop-webmail", "web"), ("sfr", "ios", "iOS"), ("sfr", "android", "Android"))),
    "laposte": ("La Poste", (("laposte", "desktop-webmail", "web"),)),
}

WORST_FIRST = "nay"
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_REFERENCE = re.compile(
    r"\s*(?:\((?:See|see) [^()]*\)|See [^.]*\bdocumentation\b\.|See [^.]*#\d+\.|See \S+\.cm\b[^.]*\.)"
)


def verify(package: bytes, integrity: str) -> None:
    """Leave unless the bytes have the pinned sha512, written as in Subresource Integrity."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
    if not hmac.compare_digest(found, integrity):
        sys.exit(f"The package is not the pinned one: nothing was read and nothing written.\n  {found}\n  {integrity}")


def read_member(package: bytes, name: str) -> bytes:
    """One plain file of the archive, by its exact name; a link, a device or something huge is refused."""
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
        member = archive.getmember(name)
        if not member.isreg() or member.size > MOST_BYTES:
            sys.exit(f"{name} in the package is no plain file of a sensible size: nothing was written.")
        file = archive.extractfile(member)
        assert file is not None
        return file.read(MOST_BYTES)


def cell(stats: Mapping[str, Mapping[str, Mapping[str, str]]], family: str) -> tuple[str, list[int]]:
    """A family's support for one feature as ``n12@2023-12#1,2``, and the numbers of the notes.

    The level is that of the family's worst platform: ``y``, ``a`` (in part), ``n``, or ``u`` where nothing is known.
    The digits after it are the platforms at that level, counted from 0; none when all known ones are alike. After the
    ``@`` stands the last listed version of the first of them. A ``y`` needs no notes.
    """
    known = []
    for position, (client, platform, _) in enumerate(FAMILIES[family][1]):
        versions = stats.get(client, {}).get(platform, {})
        if versions:
            # The last LISTED version: caniemail lists them in time. Sorted as text, 9 would come after 16.
            version, said = list(versions.items())[-1]
            if said[0] in WORST_FIRST:
                known.append((said[0], position, version, {int(number) for number in re.findall(r"#(\d+)", said)}))
    if not known:
        return "u", []
    worst = min((level for level, *_ in known), key=WORST_FIRST.index)
    at = [one for one in known if one[0] == worst]
    platforms = "" if len(at) == len(known) else "".join(str(position) for _, position, *_ in at)
    notes = sorted(set().union(*(numbers for *_, numbers in at))) if worst != "y" else []
    return f"{worst}{platforms}@{at[0][2]}{'#' if notes else ''}{','.join(map(str, notes))}", notes


def plain(note: str) -> str:
    """A note without its links and pointers."""
    return " ".join(_LINK.sub(r"\1", _REFERENCE.sub("", _LINK.sub(r"\1", note))).split())


def day(text: str) -> str:
    """An ISO date; the source has one as 2024-05-1."""
    year, month, date = text.split("-")
    return f"{year}-{int(month):02d}-{int(date):02d}"


def feature(entry: Mapping[str, Any]) -> list[Any]:
    """What is kept: title, category, day of the test, support in the families' order, the notes that support names."""
    cells = [cell(entry["stats"], family) for family in FAMILIES]
    texts = {int(number): plain(text or "") for number, text in (entry["notes_by_num"] or {}).items()}
    notes = {str(n): texts[n] for n in sorted({n for _, numbers in cells for n in numbers}) if texts.get(n)}
    support = " ".join(one for one, _ in cells)
    return [entry["title"].strip(), entry["category"], day(entry["last_test_date"]), support, notes]


def facts(data: Mapping[str, Any], licence: str) -> dict[str, Any]:
    """The whole document, with its source and its licence."""
    return {
        "source": "https://www.caniemail.com, from the npm package caniemail",
        "version": VERSION,
        "updated": day(data["last_update_date"].split()[0]),
        "integrity": INTEGRITY,
        "licence": "MIT",
        "copyright": [*copyrights(licence), TESTS_NOTICE],
        "families": {
            family: [title, *(label for *_, label in platforms)] for family, (title, platforms) in FAMILIES.items()
        },
        "features": {entry["slug"]: feature(entry) for entry in sorted(data["data"], key=lambda e: e["slug"])},
    }


def copyrights(licence: str) -> list[str]:
    """The copyright lines of a licence."""
    return [line.strip() for line in licence.splitlines() if line.startswith("Copyright ")]


def as_text(document: Mapping[str, Any]) -> str:
    """Compact JSON, the same for the same input, one feature a line so that a diff can be read."""

    def short(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def lines(table: Mapping[str, Any]) -> Iterable[str]:
        return ",\n".join(f"{short(key)}:{short(value)}" for key, value in table.items())

    head = [f"{short(key)}:{short(document[key])}" for key in document if key not in ("families", "features")]
    tables = [f"{short(key)}:{{\n{lines(document[key])}\n}}" for key in ("families", "features")]
    return "{\n" + ",\n".join([*head, *tables]) + "\n}\n"


def notice(licence: str) -> str:
    """The notice that the licence asks to be kept with the data."""
    first = (
        f"facts.json beside this file holds facts from the npm package caniemail {VERSION}, which packs the test\n"
        "results of https://www.caniemail.com. Both are under the MIT licence:\n\n"
    )
    own = copyrights(licence)[-1]
    return first + licence.replace(own, f"{own}\n{TESTS_NOTICE}").strip() + "\n"


def fetched() -> bytes:
    """The package as npm has it. npm is asked for the archive alone: nothing is installed and no script runs."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"caniemail@{VERSION}", "--ignore-scripts", "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def main(arguments: list[str]) -> None:
    """Fetch or read the package, verify it, write the two files."""
    package = Path(arguments[0]).read_bytes() if arguments else fetched()
    verify(package, INTEGRITY)
    licence = read_member(package, LICENCE).decode("utf-8")
    document = facts(json.loads(read_member(package, DATA)), licence)
    text = as_text(document)
    write_atomic(FACTS, text)
    write_atomic(NOTICE, notice(licence))
    print(f"{FACTS.relative_to(ROOT)}: {len(document['features'])} features, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
