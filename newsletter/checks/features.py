"""The table from what a mail is written with to the features of caniemail.com, and what a reader loses with each.

Left out because a finished mail does not show them: BIMI (a DNS record), AMP and HDR pictures (no build makes them),
image-mp4 (a film where a picture belongs is ``<video>``'s finding).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Loss(enum.Enum):
    """What it means for a reader when a client does not know a feature.

    FINE: nothing that anybody sees, or another check tells it. LOOK: decoration. LOST: the order of the page, a
    picture or words. LAYOUT, VALUE, GRADIENT: LOST, and each has a rule and a cure of its own. BREAKS: it also spoils
    what stands beside it, wherever it is written.
    """

    FINE = enum.auto()
    LOOK = enum.auto()
    LOST = enum.auto()
    LAYOUT = enum.auto()
    VALUE = enum.auto()
    GRADIENT = enum.auto()
    BREAKS = enum.auto()


def _same(names: str, prefix: str = "css-") -> dict[str, str]:
    """Names whose feature is called like them."""
    return {name: prefix + name for name in names.split()}


def _all(names: str, feature: str) -> dict[str, str]:
    """Several names of one feature."""
    return dict.fromkeys(names.split(), feature)


PROPERTIES: dict[str, str] = {
    **_same(
        "accent-color align-items animation aspect-ratio backdrop-filter background background-blend-mode"
        " background-clip background-color background-image background-origin background-position background-repeat"
        " background-size border border-collapse border-image border-radius border-spacing box-shadow box-sizing"
        " caption-side clear clip-path color-scheme column-count cursor direction display empty-cells filter flex-wrap"
        " float font font-kerning font-size font-size-adjust font-stretch font-weight height hyphenate-character"
        " hyphenate-limit-chars hyphens inline-size inset justify-content letter-spacing line-height list-style"
        " list-style-image list-style-position list-style-type margin mask-image max-block-size max-height"
        " max-inline-size max-width min-block-size min-height min-inline-size min-width mix-blend-mode object-fit"
        " object-position opacity orphans outline outline-offset overflow overflow-wrap padding position resize"
        " scroll-snap shape-margin shape-outside tab-size table-layout text-align text-align-last text-decoration"
        " text-decoration-color text-decoration-line text-decoration-skip-ink text-decoration-style"
        " text-decoration-thickness text-emphasis text-emphasis-position text-indent text-justify text-orientation"
        " text-overflow text-shadow text-transform text-underline-offset text-underline-position text-wrap transform"
        " transition user-select vertical-align visibility white-space white-space-collapse widows width word-break"
        " word-spacing word-wrap writing-mode z-index"
    ),
    **_all("animation-name animation-duration animation-delay animation-iteration-count", "css-animation"),
    **_all("animation-timing-function animation-direction animation-fill-mode", "css-animation"),
    **_all("transition-property transition-duration transition-delay transition-timing-function", "css-transition"),
    **_all("border-top border-right border-bottom border-left border-width border-style border-color", "css-border"),
    **_all("border-top-width border-right-width border-bottom-width border-left-width", "css-border"),
    **_all("border-image-source border-image-slice border-image-width border-image-repeat", "css-border-image"),
    **_all("border-top-left-radius border-top-right-radius", "css-border-radius"),
    **_all("border-bottom-left-radius border-bottom-right-radius", "css-border-radius"),
    **_all("border-start-start-radius border-start-end-radius", "css-border-radius-logical"),
    **_all("border-end-start-radius border-end-end-radius", "css-border-radius-logical"),
    **_all("border-inline border-block", "css-border-inline-block"),
    **_all("border-inline-width border-inline-style border-inline-color", "css-border-inline-block-longhand"),
    **_all("border-block-width border-block-style border-block-color", "css-border-inline-block-longhand"),
    **_all("border-inline-start border-inline-end", "css-border-inline-block-individual"),
    **_all("border-block-start border-block-end", "css-border-inline-block-individual"),
    **_all("block-size", "css-block-inline-size"),
    **_all("columns column-width column-rule column-span column-fill", "css-column-layout-properties"),
    **_all("flex-direction flex-flow", "css-flex-direction"),
    **_all("gap column-gap row-gap grid-gap", "css-gap"),
    **_all("grid-template grid-template-columns grid-template-rows grid-template-areas", "css-grid-template"),
    **_all("left right top bottom", "css-left-right-top-bottom"),
    **_all("margin-top margin-right margin-bottom margin-left", "css-margin"),
    **_all("margin-inline margin-block", "css-margin-inline-block"),
    **_all("margin-inline-start margin-inline-end", "css-margin-inline-start-end"),
    **_all("margin-block-start margin-block-end", "css-margin-block-start-end"),
    **_all("mask", "css-mask-image"),
    **_all("outline-color outline-style outline-width", "css-outline"),
    **_all("overflow-x overflow-y", "css-overflow"),
    **_all("padding-top padding-right padding-bottom padding-left", "css-padding"),
    **_all("padding-inline padding-block", "css-padding-inline-block"),
    **_all("padding-inline-start padding-inline-end", "css-padding-inline-start-end"),
    **_all("padding-block-start padding-block-end", "css-padding-block-start-end"),
    **_all("scroll-snap-type scroll-snap-align scroll-snap-stop", "css-scroll-snap"),
    **_all("text-emphasis-style text-emphasis-color", "css-text-emphasis"),
}
"""CSS property → feature. A vendor prefix is taken off first."""

FUNCTIONS: dict[str, str] = {
    **_all("calc", "css-unit-calc"),
    **_all("var", "css-variables"),
    **_same("clamp max min light-dark", "css-function-"),
    **_same("rgb rgba linear-gradient radial-gradient conic-gradient"),
    **_all("lch oklch lab oklab", "css-modern-color"),
}
UNITS: dict[str, str] = _same("ch cm em ex in mm pc pt px rem vh vmax vmin vw", "css-unit-")
KEYWORDS: dict[str, str] = {
    **_same("initial", "css-unit-"),
    **_all("fit-content min-content max-content", "css-intrinsic-size"),
    **_all("system-ui ui-serif ui-sans-serif ui-rounded ui-monospace", "css-sytem-ui"),
}
"""What a value is made of → feature."""

PSEUDO: dict[str, str] = {
    **_same(
        "active checked default first-child first-of-type focus focus-visible focus-within has hover lang last-child"
        " last-of-type link not nth-child nth-last-child nth-last-of-type nth-of-type only-child only-of-type target"
        " visited",
        "css-pseudo-class-",
    ),
    **_same("after before first-letter first-line marker placeholder", "css-pseudo-element-"),
}
AT_RULES: dict[str, str] = {**_same("font-face import keyframes media supports", "css-at-")}
MEDIA: dict[str, str] = {
    **_all("-webkit-device-pixel-ratio -webkit-min-device-pixel-ratio", "css-at-media-device-pixel-ratio"),
    **_all("hover any-hover", "css-at-media-hover"),
    **_same("orientation prefers-color-scheme prefers-reduced-motion", "css-at-media-"),
}

ELEMENTS: dict[str, str] = {
    **_same(
        "abbr acronym address audio base bdi blockquote body code del dfn dialog div form hr img link marquee meter"
        " object p picture pre progress rp rt ruby select small span strike strong style svg table textarea video wbr",
        "html-",
    ),
    **_all("h1 h2 h3 h4 h5 h6", "html-h1-h6"),
    **_all("ul ol dl", "html-lists"),
    **_all("map", "html-image-maps"),
    **_all("article aside details figcaption figure footer header main mark nav section", "html-semantics"),
    **_all("summary time", "html-semantics"),
}
INPUTS: dict[str, str] = {
    **_same("checkbox hidden radio reset submit text", "html-input-"),
    **_all("email password search tel url", "html-input-text"),
}
ATTRIBUTES: dict[str, str] = {
    **_same(
        "align aria-describedby aria-hidden aria-label aria-labelledby aria-live background cellpadding cellspacing dir"
        " height hidden lang popover required role srcset target valign width",
        "html-",
    ),
    "loading": "html-loading-attribute",
    "inert": "css-inert-attribute",
}
"""HTML → feature."""

PICTURES: dict[str, str] = {
    **_same("apng avif bmp gif heif ico png svg tiff webp", "image-"),
    **_all("jpg jpeg", "image-jpg"),
    **_all("heic", "image-heif"),
    **_all("tif", "image-tiff"),
    **_all("svg+xml", "image-svg"),
    **_all("vnd.microsoft.icon x-icon", "image-ico"),
}
"""The end of a picture's name, or of its media type → feature."""

OTHERS = frozenset(
    [
        *_same(
            "comments display-flex display-grid display-none important nesting selector-adjacent-sibling"
            " selector-attribute selector-chaining selector-child selector-class selector-descendant"
            " selector-general-sibling selector-grouping selector-id selector-type selector-universal unit-percent"
        ).values(),
        *_same(
            "anchor-links button-reset button-submit comments doctype mailto-links meta-color-scheme", "html-"
        ).values(),
        "image-base64",
    ]
)
"""Features with a detector of their own in used.py."""


def mapped() -> frozenset[str]:
    """Every feature that a use can be found of."""
    css = (PROPERTIES, FUNCTIONS, UNITS, KEYWORDS, PSEUDO, AT_RULES, MEDIA)
    return OTHERS.union(*(table.values() for table in (*css, ELEMENTS, INPUTS, ATTRIBUTES, PICTURES)))


def _losing(loss: Loss, names: str, prefix: str = "css-") -> Iterable[tuple[str, Loss]]:
    return ((prefix + name, loss) for name in names.split())


LOSSES: dict[str, Loss] = dict(
    [
        *_losing(
            Loss.LOOK,
            "animation at-font-face aspect-ratio backdrop-filter background-blend-mode background-clip"
            " background-origin background-position background-repeat background-size border-image"
            " border-inline-block border-inline-block-individual border-inline-block-longhand border-radius"
            " border-radius-logical border-spacing box-shadow box-sizing caption-side clip-path column-count"
            " column-layout-properties empty-cells filter list-style-image list-style-position mask-image max-height"
            " min-height min-width mix-blend-mode opacity outline pseudo-element-after pseudo-element-before"
            " pseudo-element-first-letter pseudo-element-first-line pseudo-element-marker selector-chaining"
            " shape-outside table-layout text-align-last text-decoration-color text-decoration-line"
            " text-decoration-style text-emphasis text-overflow text-shadow",
        ),
        *_losing(Loss.LOOK, "bdi marquee", "html-"),
        *_losing(
            Loss.LOST,
            "align-items block-inline-size flex-direction flex-wrap float gap grid-template inline-size inset"
            " justify-content left-right-top-bottom margin-block-start-end margin-inline-block"
            " margin-inline-start-end max-block-size max-inline-size min-block-size min-inline-size object-fit"
            " object-position padding-block-start-end padding-inline-block padding-inline-start-end rgba"
            " text-orientation transform writing-mode",
        ),
        *_losing(
            Loss.LOST,
            "anchor-links button-reset button-submit dialog hidden image-maps meter popover progress ruby select"
            " svg textarea",
            "html-",
        ),
        *_losing(Loss.LOST, "apng avif bmp heif ico svg tiff webp", "image-"),
        *_losing(Loss.LAYOUT, "display-flex display-grid"),
        *_losing(
            Loss.VALUE,
            "function-clamp function-light-dark function-max function-min intrinsic-size unit-calc unit-ch unit-initial"
            " unit-rem unit-vh unit-vmax unit-vmin unit-vw variables",
        ),
        *_losing(Loss.GRADIENT, "linear-gradient radial-gradient conic-gradient"),
        *_losing(Loss.BREAKS, "modern-color nesting"),
    ]
)
"""What is lost with a feature; FINE where it is not named.

FINE are refinements of type, hints for assistive technology and everything that media queries or selectors choose:
the mail is complete without them. FINE here and told by other checks: what ``active-content`` speaks of (forms,
objects, film, sound), style sheets by ``<link>``, ``max-width`` without a table, ``rgb()`` without commas, pictures
inside the address.
"""

WITH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "css-align-items",
            "css-flex-direction",
            "css-flex-wrap",
            "css-gap",
            "css-grid-template",
            "css-justify-content",
        ),
        ("css-display-flex", "css-display-grid"),
    ),
    **dict.fromkeys(("css-left-right-top-bottom", "css-inset", "css-z-index"), ("css-position",)),
    **dict.fromkeys(
        ("css-background-origin", "css-background-position", "css-background-repeat", "css-background-size"),
        ("css-background-image", "css-linear-gradient", "css-radial-gradient", "css-conic-gradient"),
    ),
    **dict.fromkeys(("css-background-clip", "css-background-blend-mode"), ("css-background-image",)),
    "css-object-position": ("css-object-fit",),
    "css-text-orientation": ("css-writing-mode",),
}
"""A feature that means nothing without another one: when that is told, this adds nothing."""

SEEN: dict[str, str] = {
    "css-position": "The element stands where it is written, in the flow of the page.",
    "css-float": "The element stands above the text and not beside it.",
    "css-visibility": "What should be hidden is seen.",
    "css-overflow": "What should be cut off is seen.",
    "css-transform": "The element is neither turned, moved nor resized.",
    "css-writing-mode": "The text runs from side to side as ever.",
    "css-object-fit": "The picture is stretched to its box.",
    "css-background-image": "The picture behind the text is missing.",
    "css-rgba": "The colour is missing.",
    "css-white-space": "Line breaks and blanks run together.",
    "css-margin": "Things that should overlap stand one below the other.",
    "css-display": "The element is set as if it had no display at all.",
    "css-display-none": "What should be hidden is seen.",
    "css-text-align": "The text stands at the start of the line.",
    "css-text-transform": "The letters stay as they are written.",
    "css-text-decoration": "The line is missing.",
    "css-display-flex": "The columns stand one below the other.",
    "css-display-grid": "The columns stand one below the other.",
    "css-nesting": "The inner rules are dropped, or applied to the outer element.",
    "css-modern-color": "The colour is missing; Gmail drops every style of that element.",
    **dict.fromkeys((f for f, loss in LOSSES.items() if loss is Loss.VALUE), "The whole declaration is dropped."),
    "css-linear-gradient": "The ground is left without a colour, and the text may vanish on it.",
    "css-radial-gradient": "The ground is left without a colour, and the text may vanish on it.",
    "css-conic-gradient": "The ground is left without a colour, and the text may vanish on it.",
    "html-anchor-links": "Tapping the link does nothing.",
    "html-hidden": "What should be hidden is seen.",
    "html-image-maps": "The places in the picture are no links.",
    "html-lists": "The list counts otherwise.",
    "html-mailto-links": "The copy address is left out.",
    "html-ruby": "The reading aid stands in the line.",
    "html-svg": "The drawing is missing.",
    **_all("css-margin-block-start-end css-margin-inline-block", "The distance is missing."),
    **_all("css-padding-block-start-end css-padding-inline-block", "The distance is missing."),
    **_all("css-margin-inline-start-end css-padding-inline-start-end", "The distance is missing."),
    **dict.fromkeys(PICTURES.values(), "The picture is missing."),
}
"""What the reader has instead, in a sentence; for other features the note of the tests is told."""
