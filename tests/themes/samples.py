"""Issues in several languages, and one in which everything awkward happens at once: for tests and for the gallery.

Each folder of ``workspaces/`` is laid over a copy of the sample workspace; all of them show the sample's pictures.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from newsletter.workspace.create import create_demo

FOLDERS = Path(__file__).with_name("workspaces")


class Sample(NamedTuple):
    """An issue's slug, and the folder of ``workspaces/`` that holds it ("" for the sample itself)."""

    folder: str
    slug: str


SAMPLES = {
    "english": Sample("", "2026-11-27"),
    "urdu": Sample("urdu", "2026-12-04"),
    "hindi": Sample("hindi", "2026-12-04"),
    "english-mixed": Sample("english-mixed", "2026-12-04"),  # an English issue with stories in Urdu and Hindi
    "urdu-mixed": Sample("urdu-mixed", "2026-12-11"),  # an Urdu issue of a publication with an English name
    "awkward": Sample("awkward", "2026-12-04"),  # twenty-word headlines, no pictures, a grid of three
}


def set_sample(name: str, theme: str, folder: Path) -> tuple[Path, str]:
    """Make a workspace in ``folder`` whose issue ``name`` is set in ``theme``; its root and the issue's slug."""
    sample = SAMPLES[name]
    root = create_demo(folder).root
    if sample.folder:
        pictures = root / "issues" / SAMPLES["english"].slug / "images"
        shutil.copytree(FOLDERS / sample.folder, root, dirs_exist_ok=True)
        (root / "issues" / sample.slug / "images").symlink_to(pictures, target_is_directory=True)
    file = root / "issues" / sample.slug / "issue.md"
    head, _, rest = file.read_text(encoding="utf-8").partition("\nsections:")
    head = re.sub(r"\ntheme: .*", "", head) + f"\ntheme: {theme}"
    file.write_text(f"{head}\nsections:{rest}", encoding="utf-8")
    return root, sample.slug
