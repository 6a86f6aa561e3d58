"""Which CSS properties a client takes out, as caniemail.com's tests of 2019 to 2025 found it, and fonts of Windows."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GMAIL_DROPS = _words(
    """
    accent-color align-content align-items align-self animation animation-delay animation-duration
    animation-fill-mode animation-iteration-count animation-name animation-timing-function aspect-ratio backdrop-filter
    block-size border-block border-block-color border-block-end border-block-start border-block-style border-block-width
    border-image border-image-source border-inline border-inline-color border-inline-end border-inline-start
    border-inline-style border-inline-width border-end-end-radius border-end-start-radius border-start-end-radius
    border-start-start-radius bottom box-shadow clip-path color-scheme cursor filter flex-direction flex-flow flex-wrap
    grid grid-area grid-auto-columns grid-auto-flow grid-auto-rows grid-column grid-row grid-template
    grid-template-areas grid-template-columns grid-template-rows hyphenate-character hyphenate-limit-chars hyphens
    inline-size inset inset-block inset-inline justify-content justify-items justify-self left list-style-image
    margin-block margin-block-end margin-block-start margin-inline margin-inline-end margin-inline-start mask mask-image
    max-block-size max-inline-size min-block-size min-inline-size orphans outline-offset overflow-wrap padding-block
    padding-block-end padding-block-start padding-inline padding-inline-end padding-inline-start position resize right
    row-gap scroll-snap-align scroll-snap-type shape-margin shape-outside supported-color-schemes tab-size
    text-decoration-skip-ink text-decoration-thickness text-emphasis-position text-shadow text-underline-offset
    text-wrap top transform transform-origin transition user-select visibility white-space-collapse widows
    z-index
    """
)
"""What every Gmail takes out ("desktop webmail" says no)."""

GMAIL_APP_DROPS = _words(
    """
    background-blend-mode background-clip background-origin background-size mix-blend-mode object-fit object-position
    text-decoration-color text-overflow white-space writing-mode
    """
)
"""What the Gmail app takes out besides, with accounts that are not Google's."""

WORD_DROPS = _words(
    """
    accent-color align-content align-items align-self animation aspect-ratio backdrop-filter background-attachment
    background-blend-mode background-clip background-image background-origin background-position background-repeat
    background-size border-image border-radius border-spacing bottom box-shadow box-sizing caption-side clear clip
    clip-path color-scheme column-count columns content cursor empty-cells filter flex flex-direction flex-wrap float
    font-kerning font-stretch gap grid grid-template grid-template-columns hyphens inset justify-content left
    list-style-image list-style-position mask mask-image max-height min-height min-width mix-blend-mode object-fit
    object-position opacity order orphans outline outline-offset overflow overflow-wrap overflow-x overflow-y
    pointer-events position resize right supported-color-schemes tab-size table-layout text-decoration-color
    text-decoration-line text-decoration-style text-emphasis text-orientation text-overflow text-shadow
    text-size-adjust text-underline-offset text-wrap top transform transition user-select visibility white-space widows
    word-spacing word-wrap writing-mode z-index
    """
)
"""What Word does not know ("Outlook (Windows)" says no)."""

WINDOWS_FONTS = frozenset(
    name.strip()
    for name in """
    Aptos, Arial, Arial Black, Bahnschrift, Book Antiqua, Bookman Old Style, Calibri, Cambria, Candara, Century Gothic,
    Comic Sans MS, Consolas, Constantia, Corbel, Courier New, Ebrima, Franklin Gothic Medium, Gabriola, Garamond,
    Georgia, Impact, Lucida Console, Lucida Sans Unicode, Malgun Gothic, Microsoft Sans Serif, Microsoft YaHei,
    Mongolian Baiti, MS Gothic, Nirmala UI, Palatino Linotype, Segoe Print, Segoe Script, Segoe UI, SimSun, Sitka,
    Sylfaen, Tahoma, Times New Roman, Trebuchet MS, Urdu Typesetting, Verdana, Yu Gothic, Helvetica, serif, sans-serif,
    monospace, cursive, fantasy, inherit
    """.lower().split(",")
)
"""Fonts that Windows or Office bring, in lower case, and Helvetica, which Windows reads as Arial."""
