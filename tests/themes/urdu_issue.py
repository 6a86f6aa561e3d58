"""A small issue in Urdu with every layout, written into a copy of the sample workspace: for right-to-left tests."""

from __future__ import annotations

from pathlib import Path

SLUG = "2026-12-04"

_ISSUE = """---
subject: کشتی اب ہماری ہے
preheader: دو ہزار مسافروں نے مل کر ایک کشتی خریدی، اور سمندر کی دیوار پیچھے ہٹے گی
date: 2026-12-04
number: 49
theme: {theme}
lang: ur
sections:
  - layout: lead
    articles: [kashti]
  - title: اس ہفتے
    layout: list
    articles: [deewar, kutub-khana]
  - layout: sponsor
    articles: [marammat]
  - title: ہفتے کا اختتام
    layout: grid
    articles: [rail, bazaar]
  - title: مختصر
    layout: brief
    articles: [ghanti]
  - title: پس منظر
    layout: text
    articles: [mausam]
---
صبح بخیر،

اس ہفتے ہمارے قصبے نے ثابت کیا کہ بہت سے چھوٹے ہاتھ مل کر ایک بڑی کشتی کھینچ سکتے ہیں۔ نیچے اس کی کہانی ہے، اور
اس دیوار کی بھی جو سمندر کو ایک کھیت واپس دے گی۔

**میرن ہولٹ، مدیر**
"""

_PICTURE = """image:
  file: {file}
  alt: {alt}
  caption: {caption}
  credit: ٹوبیاس لنڈ
"""

_STORIES = {
    "kashti": (
        "مسافروں نے دریا کی آخری کشتی خرید لی، اور رعایت کسی کو نہیں ملے گی",
        "kicker: بندرگاہ\n"
        "standfirst: چودہ ماہ کے چندوں اور ایک بہت لمبے جلسے کے بعد دو ہزار سے زیادہ لوگ اس کشتی کے مالک ہیں۔\n"
        "byline: نیل فیرو\n",
        ("ferry-at-dusk.jpg", "شام کے وقت روشن کھڑکیوں والی چھوٹی کشتی دریا پار کر رہی ہے", "شام کا آخری پھیرا۔"),
        "کشتی اکسٹھ برس ایک خاندان کے پاس رہی۔ اب یہ مسافروں کی ہے۔",
    ),
    "deewar": (
        "سمندر کی دیوار ایک چوتھائی میل پیچھے ہٹے گی",
        "teaser: تین کھیت دوبارہ دلدل بنیں گے، اور قصبہ پہلے سے زیادہ محفوظ ہو گا۔\nbyline: ادریس وان\n",
        ("lowmarsh-geese.jpg", "دلدل کے اوپر اڑتی ہوئی مرغابیاں اور پیچھے نیلے پہاڑ", "دلدل پر مرغابیاں۔"),
        "منصوبہ اگلی بہار میں شروع ہو گا۔",
    ),
    "kutub-khana": (
        "کتب خانہ اب اتوار کو بھی کھلے گا",
        "teaser: رضاکاروں نے دروازے کھولنے کی ذمہ داری لے لی ہے۔\nagency: ایسچوری نیوز سروس\n",
        None,
        "پہلا اتوار چھ دسمبر ہے۔",
    ),
    "marammat": (
        "پچھلی سردیوں کا کوٹ پھر سے نیا",
        "teaser: نئی زپ اور پیوند، خریداری کے دوران ہی۔\nsponsor: Ropewalk Repairs\nlink_text: وقت لیجیے\n",
        ("ropewalk-repairs.jpg", "کھونٹیوں پر لٹکے تین رنگین کوٹ اور نیچے جوتوں کی قطار", "کارگاہ میں کوٹ۔"),
        "ہر مرمت کی دو سردیوں تک ضمانت ہے۔",
    ),
    "rail": (
        "رات کی ریل پھر یہاں رکے گی",
        "teaser: دس برس بعد اسٹیشن کی گھڑی کا وقت درست کر دیا گیا ہے۔\n",
        ("night-train.jpg", "رات کے اندھیرے میں روشن کھڑکیوں والی ریل گاڑی پل پر", "رات کی ریل۔"),
        "پہلی گاڑی جمعے کی رات آئے گی۔",
    ),
    "bazaar": (
        "بازار گودی پر منتقل ہو گیا",
        "teaser: مچھلی، روٹی اور پرانی کتابیں، سب پانی کے کنارے۔\n",
        ("quay-market.jpg", "گودی پر رنگین سائبانوں والی دکانیں اور ان کے پیچھے پانی", "نیا بازار۔"),
        "ہر ہفتے صبح آٹھ بجے سے۔",
    ),
    "ghanti": (
        "کھوئی ہوئی گھنٹی اسکول سے مل گئی",
        "teaser: بچے اسے تیس برس سے چھٹی کے وقت بجا رہے تھے۔\n",
        None,
        "گھنٹی اب عجائب گھر میں ہے۔",
    ),
    "mausam": (
        "سو برس کا موسم، روز کے گیارہ لفظوں میں",
        "standfirst: چھ ناخداؤں نے ہر صبح آٹھ بجے موسم لکھا۔\nbyline: اوٹیلی مارش\n",
        None,
        "دفتر میں جذبات کی جگہ نہیں۔ ہر دن کی ایک سطر ہے۔\n\n"
        "## کم پالا، لمبی آندھیاں\n\n> بندرگاہ تک برف۔ ناخدا سویا ہوا ملا۔\n\n"
        "- جس صبح آپ پیدا ہوئے؛\n- وہ طوفان جو آپ کے بزرگ یاد کرتے ہیں۔",
    ),
}


def write(root: Path, theme: str) -> str:
    """Write the issue into the sample workspace at ``root``, set in ``theme``; its slug."""
    folder = root / "issues" / SLUG
    folder.mkdir()
    (folder / "images").symlink_to(root / "issues" / "2026-11-27" / "images", target_is_directory=True)
    (folder / "issue.md").write_text(_ISSUE.format(theme=theme), encoding="utf-8")
    for slug, (headline, keys, picture, body) in _STORIES.items():
        image = _PICTURE.format(file=picture[0], alt=picture[1], caption=picture[2]) if picture else ""
        head = f"headline: {headline}\n{keys}link: https://estuary.example/2026/12/{slug}\n{image}"
        (folder / f"{slug}.md").write_text(f"---\n{head}---\n{body}\n", encoding="utf-8")
    return SLUG
