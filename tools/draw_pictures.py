"""Draw the pictures of the sample issue: flat landscapes in layers, with a little grain, and no camera anywhere.

Run ``.venv/bin/python tools/draw_pictures.py``. The same seed always draws the same pictures; each becomes a JPEG of
1600 × 1000 pixels and at most 150 KB in ``issues/2026-11-27/images``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sketching import OUT, Canvas, H, W, bird, goose, houses, mix, rgb, sailing_boat


def ferry_at_dusk(c: Canvas) -> None:
    """The lead: a two-decked ferry, the town behind it, the sun just down."""
    c.glow(1080, 470, 620, "#FFF0C2", 0.85)
    c.disc(1080, 452, 62, "#FFF6DC")
    c.hills(520, 120, "#C9796F", 1.3)
    c.hills(545, 78, "#9C5A68", 1.9)
    houses(c, 566, ["#6E4058", "#7A4860", "#5E3752", "#86506A"], "#FFCF7A")
    c.shape([(395, 520), (395, 420), (420, 330), (445, 420), (445, 520)], "#4F2F4B")
    c.box(0, 562, W, H, "#4A3350")
    water = ["#B8707A", "#8A5570", "#5B3D60", "#3B2B4E", "#2C2142"]
    for i in range(60):
        share = i / 59 * (len(water) - 1)
        lower = rgb(water[min(len(water) - 1, int(share) + 1)])
        c.box(0, 566 + i * 7.3, W, 566 + (i + 1) * 7.3 + 1, mix(rgb(water[int(share)]), lower, share % 1))
    c.ripples(575, 980, "#D98F84", 130)
    c.ripples(570, 960, "#FFE3B0", 120, (960, 1200))
    c.ripples(600, 990, "#33264A", 90)
    c.shape([(300, 700), (930, 700), (890, 788), (352, 788)], "#1E1B33")
    c.box(312, 716, 918, 726, "#C0392F")
    c.box(360, 632, 872, 702, "#F3E9DC", 6)
    c.box(430, 572, 782, 634, "#E6D8C8", 6)
    c.box(640, 520, 752, 574, "#F3E9DC", 5)
    c.box(520, 470, 572, 576, "#B3322B")
    c.box(520, 490, 572, 506, "#F3E9DC")
    for i in range(11):
        c.box(384 + i * 43, 652, 410 + i * 43, 682, "#FFC65C", 3)
    for i in range(7):
        c.box(450 + i * 46, 590, 474 + i * 46, 616, "#FFB94A", 3)
    c.box(654, 534, 738, 556, "#FFDF9A", 2)
    c.line([(352, 632), (430, 572)], "#1E1B33", 3)
    c.line([(872, 632), (782, 572)], "#1E1B33", 3)
    c.line([(696, 520), (696, 440)], "#1E1B33", 4)
    c.line([(696, 446), (330, 700)], "#1E1B33", 1.6)
    c.line([(696, 446), (905, 700)], "#1E1B33", 1.6)
    for _ in range(70):
        y = c.random.uniform(796, 900)
        x = c.random.uniform(360, 880)
        c.box(x, y, x + c.random.uniform(18, 70), y + 3, c.random.choice(["#FFC65C", "#E9A765", "#241D3A"]), 2)
    for x, y in ((1180, 250), (1235, 282), (1120, 300), (250, 220), (310, 246)):
        bird(c, x, y, 22, "#5E3752")


def lowmarsh_geese(c: Canvas) -> None:
    """Saltmarsh with creeks and a skein of geese."""
    c.glow(420, 360, 520, "#FFFBE8", 0.8)
    c.disc(420, 372, 46, "#FFFDF2")
    c.hills(500, 60, "#B9C7BE", 1.4)
    c.hills(520, 34, "#9AB0A5", 2.3)
    c.veil(440, 580, "#F3F0E2", 0.75)
    c.box(0, 540, W, H, "#C7D3CB")
    greens = ["#A9B58E", "#93A479", "#7D8F63", "#667A4F", "#52663F"]
    for i, colour in enumerate(greens):
        y = 560 + i * 84
        for k in range(4):
            x = -260 + k * 520 + c.random.uniform(-60, 60) - (i % 2) * 230
            w = c.random.uniform(400, 520)
            points = [
                (x + w * t / 24, y - (18 + 7 * i) * math.sin(math.pi * t / 24) ** 0.6 + 4 * math.sin(t * 1.7 + k))
                for t in range(25)
            ]
            lower = [(px, y + (10 + 5 * i) * math.sin(math.pi * t / 24) ** 0.7) for t, (px, _) in enumerate(points)]
            c.shape([*points, *reversed(lower)], colour)
    for bend in range(2):
        creek, width = [], 4.0
        x, y = 640 + bend * 520, 560.0
        while y < H + 40:
            creek.append((x, y, width))
            y += 9
            width *= 1.052
            x += math.sin(y / (30 + 16 * bend)) * width * 0.36
        left = [(px - pw, py) for px, py, pw in creek]
        c.shape([*left, *reversed([(px + pw, py) for px, py, pw in creek])], "#DCE5DF")
        c.shape(
            [*[(px - pw * 0.2, py) for px, py, pw in creek], *reversed([(px + pw * 0.5, py) for px, py, pw in creek])],
            "#F3F3E6",
        )
    for _ in range(420):
        x, y = c.random.uniform(0, W), H - c.random.random() ** 2 * 200
        c.line(
            [(x, y + 30), (x + c.random.uniform(-9, 9), y - c.random.uniform(10, 36))],
            c.random.choice(["#42552F", "#5E7341", "#8C9A5B"]),
            2.2,
        )
    for i in range(9):
        goose(c, 500 + i * 74, 205 + i * 21 + c.random.uniform(-6, 6), 30 - i * 0.6, "#3E4A45")
        if 0 < i < 7:
            goose(c, 500 + i * 96, 205 - i * 12 + c.random.uniform(-6, 6), 28 - i * 0.7, "#3E4A45")


def staithe_hill(c: Canvas) -> None:
    """A steep street of terraced houses."""
    for x, y, r in ((240, 170, 80), (330, 150, 110), (440, 180, 76), (1180, 110, 66), (1270, 92, 94), (1370, 120, 60)):
        c.disc(x, y, r, "#F7F3E9", 0.52)
    c.hills(560, 130, "#A9C0A6", 1.1)
    walls = ["#B5503C", "#C9803E", "#D8A657", "#8E4A4A", "#C26A4A", "#E0BE8A", "#7C5A57"]
    starts, feet = [-60, 245, 470, 630, 744, 800], [950, 862, 766, 676, 596, 548]
    for side in (0, 1):
        for i in range(5):
            foot, height = feet[i], 500 - 68 * i
            wide = starts[i + 1] - starts[i]
            left = starts[i] if side == 0 else W - starts[i + 1]
            colour = walls[(i * 2 + side * 3) % len(walls)]
            c.box(left, foot - height, left + wide, foot + 80, colour)
            c.shape(
                [
                    (left - 6, foot - height),
                    (left + wide * 0.12, foot - height - wide * 0.24),
                    (left + wide * 0.88, foot - height - wide * 0.24),
                    (left + wide + 6, foot - height),
                ],
                mix(rgb(colour), rgb("#2E2A33"), 0.6),
            )
            c.box(
                left + wide * 0.7,
                foot - height - wide * 0.42,
                left + wide * 0.84,
                foot - height - wide * 0.1,
                mix(rgb(colour), rgb("#2E2A33"), 0.4),
            )
            unit = wide / 10
            for column in (1.6, 6.0):
                for row in (0.1, 0.45):
                    top = foot - height + height * row + unit
                    c.box(left + column * unit, top, left + (column + 2.4) * unit, top + unit * 3.2, "#F4ECDD")
                    c.box(
                        left + (column + 0.25) * unit,
                        top + 0.25 * unit,
                        left + (column + 2.15) * unit,
                        top + unit * 2.95,
                        "#5B7486" if (i + row * 20) % 2 else "#F3CF86",
                    )
            door = left + (6.0 if side == 0 else 1.8) * unit
            step = foot + (feet[i + 1] - foot) * 0.7
            c.box(
                door,
                step - unit * 3.2,
                door + 2.2 * unit,
                foot + 4,
                ["#24454F", "#7A1F1F", "#2D4A35", "#3A2F55", "#24454F"][i],
            )
    kerb = [(float(x), float(y)) for x, y in zip(starts, feet, strict=True)]
    c.shape([*kerb, (800, 560), (470, H), (-10, H)], "#C4BCAE")
    c.shape([*[(W - x, y) for x, y in kerb], (800, 560), (W - 470, H), (W + 10, H)], "#B3AB9E")
    c.shape([(470, H), (W - 470, H), (806, 556), (794, 556)], "#8D877F")
    for row in range(26):
        y = 576 + (row / 25) ** 1.6 * 418
        share = (y - 556) / 444
        left, right = 794 - 324 * share, 806 + 324 * share
        count = 13
        for k in range(count):
            x = left + (right - left) * (k + (row % 2) * 0.5) / count
            w = (right - left) / count * 0.82
            if x + w < right:
                c.box(x, y, x + w, y + 3 + 10 * share, c.random.choice(["#9A948B", "#A39C92", "#827C74", "#978F85"]), 2)
    for x, y, r in ((760, 912, 58), (706, 800, 30), (832, 730, 20), (792, 668, 11), (920, 848, 36)):
        c.disc(x, y, r, "#4D4A49", 0.32)
        c.disc(x, y + r * 0.05, r * 0.8, "#7F93A0", 0.26)


def ropewalk_repairs(c: Canvas) -> None:
    """Three coats on pegs above a row of boots: the sponsor's picture."""
    for i in range(17):
        c.box(i * 96, 0, i * 96 + 94, 800, c.random.choice(["#DCE3DC", "#D6DED7", "#E1E7E0"]))
    c.box(0, 800, W, H, "#A9744F")
    for i in range(5):
        c.box(0, 800 + i * 42, W, 802 + i * 42, "#976444")
    c.box(0, 780, W, 804, "#C9D1CA")
    c.box(120, 150, 1480, 190, "#8A5A3B", 4)
    coats = [(400, "#D9A032", "#B98320"), (800, "#3F6B4F", "#2F533D"), (1200, "#27425F", "#1B3049")]
    for x, colour, dark in coats:
        c.box(x - 8, 168, x + 8, 226, "#5B3A26", 6)
        c.shape(
            [
                (x - 60, 226),
                (x + 60, 226),
                (x + 168, 300),
                (x + 212, 590),
                (x + 150, 604),
                (x + 126, 420),
                (x + 142, 700),
                (x - 142, 700),
                (x - 126, 420),
                (x - 150, 604),
                (x - 212, 590),
                (x - 168, 300),
            ],
            colour,
        )
        c.shape([(x - 60, 226), (x + 60, 226), (x, 300)], dark)
        c.shape([(x - 78, 222), (x - 30, 214), (x - 6, 300), (x - 52, 306)], mix(rgb(dark), rgb(colour), 0.4))
        c.shape([(x + 78, 222), (x + 30, 214), (x + 6, 300), (x + 52, 306)], mix(rgb(dark), rgb(colour), 0.4))
        c.line([(x, 300), (x, 700)], dark, 4)
        for k in range(5):
            c.disc(x + 15, 346 + k * 74, 7, "#F1E6CF")
        for side in (-1, 1):
            c.box(x + side * 74 - 42, 520, x + side * 74 + 42, 604, dark, 6)
            c.box(x + side * 74 - 38, 534, x + side * 74 + 38, 600, colour, 5)
    c.shape([(1002, 500), (1044, 492), (1050, 548), (1010, 556)], "#C0563F")
    for i, colour in enumerate(["#5B3A26", "#2F533D", "#B3322B", "#27425F", "#D9A032", "#5B3A26", "#6E6A66"]):
        x = 170 + i * 196
        for dx in (0, 74):
            c.shape(
                [
                    (x + dx, 716),
                    (x + dx + 52, 716),
                    (x + dx + 54, 826),
                    (x + dx + 86, 846),
                    (x + dx + 88, 872),
                    (x + dx - 2, 872),
                ],
                colour,
            )
            c.box(x + dx - 4, 868, x + dx + 90, 882, "#2A211C", 4)
            c.box(x + dx, 716, x + dx + 52, 730, mix(rgb(colour), (255, 255, 255), 0.25))


def night_train(c: Canvas) -> None:
    """The sleeper on a viaduct under the moon."""
    for _ in range(170):
        x, y = c.random.uniform(0, W), c.random.random() ** 1.4 * 470
        c.disc(x, y, c.random.uniform(0.8, 2.2), c.random.choice(["#DCE6F5", "#AFC0DC", "#FFF2D0"]))
    c.glow(1190, 250, 480, "#C9D6F2", 0.55)
    c.disc(1190, 250, 92, "#F5F0DC")
    for x, y, r in ((1166, 226, 18), (1214, 268, 24), (1188, 292, 11), (1226, 218, 9)):
        c.disc(x, y, r, "#E6E0CA")
    c.hills(620, 170, "#2C3B63", 1.2)
    c.hills(650, 110, "#223054", 1.8)
    c.box(0, 700, W, H, "#16213F")
    for i in range(40):
        c.box(0, 700 + i * 7.5, W, 708 + i * 7.5, mix(rgb("#2B3A64"), rgb("#0E1730"), i / 39))
    c.ripples(705, 990, "#3C4E80", 120)
    c.ripples(705, 980, "#F1E9CB", 90, (1100, 1280))
    stone, shade = "#3A4468", "#2D3658"
    c.box(0, 500, W, 546, stone)
    c.box(0, 496, W, 504, "#56628C")
    for i in range(9):
        x = i * 200 - 70
        c.box(x, 540, x + 52, 740, stone)
        c.box(x + 34, 540, x + 52, 740, shade)
        c.box(x - 8, 640, x + 60, 654, shade)
    for i in range(9):
        x = i * 200 - 18
        c.shape(
            [
                (x, 546),
                (x + 148, 546),
                *[(x + 74 + 74 * math.cos(a / 20 * math.pi), 622 - 76 * math.sin(a / 20 * math.pi)) for a in range(21)],
            ],
            stone,
        )
    for i in range(5):
        x = 60 + i * 268
        c.box(x, 408, x + 258, 492, "#7C1F2B", 10)
        c.box(x, 408, x + 258, 424, "#1B1F33", 8)
        c.box(x, 470, x + 258, 477, "#E8C98A")
        for k in range(6):
            warm = c.random.choice(["#FFD981", "#FFC861", "#FFE6A8", "#4A2634"])
            c.box(x + 16 + k * 39, 434, x + 44 + k * 39, 461, warm, 4)
        for k in (40, 84, 178, 222):
            c.disc(x + k, 494, 9, "#10142A")
    c.shape([(1400, 492), (1400, 408), (1500, 408), (1548, 452), (1556, 492)], "#7C1F2B")
    c.shape([(1470, 424), (1500, 424), (1530, 452), (1470, 452)], "#FFE6A8")
    c.glow(1560, 476, 110, "#FFF3C9", 0.9)
    c.disc(1550, 476, 8, "#FFFBEA")
    for _ in range(130):
        x, y = c.random.uniform(60, 1400), 752 + c.random.random() ** 2 * 190
        c.box(x, y, x + c.random.uniform(10, 46), y + 3, c.random.choice(["#C79A52", "#8B6B45", "#E0B766"]), 2)


def quay_market(c: Canvas) -> None:
    """Stalls under strings of lights, with masts and roofs behind."""
    for _ in range(90):
        c.disc(c.random.uniform(0, W), c.random.uniform(0, 420), c.random.uniform(1.5, 3.6), "#E8EDF7")
    c.hills(520, 90, "#3D4C77", 1.5)
    houses(c, 600, ["#2F3560", "#3A3D6B", "#4A3F6B", "#283057"], "#FFCF7A")
    for x in range(0, W, 9):
        c.disc(x, 602, 5, "#DFE6F2", 0.4)
    for x, height in ((150, 470), (420, 400), (980, 440), (1310, 500), (1490, 380)):
        c.line([(x, 640), (x, 640 - height)], "#1C2140", 6)
        c.line([(x - 70, 690 - height), (x + 70, 690 - height)], "#1C2140", 4)
        c.line([(x, 640 - height), (x - 150, 640)], "#1C2140", 1.5)
        c.line([(x, 640 - height), (x + 150, 640)], "#1C2140", 1.5)
    c.box(0, 640, W, H, "#5A5470")
    for i in range(9):
        for k in range(18):
            w = 110 + i * 12
            c.box(
                k * w - (i % 2) * w / 2,
                660 + i * 40,
                (k + 1) * w - (i % 2) * w / 2 - 4,
                696 + i * 40,
                c.random.choice(["#544E6A", "#5E5875", "#4C4763"]),
                3,
            )
    stripes = [("#B3322B", "#F6EDE0"), ("#2F6B58", "#F6EDE0"), ("#C98A2B", "#FBF3E2"), ("#2C4A86", "#F6EDE0")]
    for i, (a, b) in enumerate(stripes):
        x, top = 40 + i * 392, 520
        c.glow(x + 172, 690, 250, "#FFD793", 0.75)
        c.box(x + 14, 560, x + 330, 800, "#3A2F3F")
        c.box(x + 24, 590, x + 320, 760, "#FFE2A6")
        for k in range(7):
            gx = x + 52 + k * 40
            c.box(
                gx - 12,
                740 - c.random.uniform(26, 74),
                gx + 12,
                760,
                c.random.choice(["#B3322B", "#2F6B58", "#8A5A3B", "#D9A032", "#5A3E6B"]),
                5,
            )
        c.disc(x + 110, 672, 27, "#7A5140")
        c.box(x + 76, 696, x + 144, 764, "#45506E" if i % 2 else "#6E2F3A", 18)
        c.box(x + 4, 756, x + 340, 800, "#7A5233")
        c.box(x + 4, 800, x + 340, 850, "#5E3D26")
        for k in range(8):
            left, step = x - 14, 46.5
            c.shape(
                [
                    (left + 24 + k * 40.5, top),
                    (left + 24 + (k + 1) * 40.5, top),
                    (left + (k + 1) * step, top + 84),
                    (left + k * step, top + 84),
                ],
                a if k % 2 else b,
            )
            c.disc(left + (k + 0.5) * step, top + 84, step / 2, a if k % 2 else b, 0.7)
    for x0, y0, x1, y1, sag in (
        (0, 330, 420, 290, 90),
        (420, 290, 980, 270, 120),
        (980, 270, 1310, 190, 90),
        (1310, 190, 1600, 300, 80),
    ):
        for k in range(15):
            t = k / 14
            px, py = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t + sag * math.sin(math.pi * t)
            c.glow(px, py, 26, "#FFDf9A".upper(), 0.8)
            c.disc(px, py, 6, "#FFF1C4")
    for x, scale, coat in (
        (300, 1.0, "#27304F"),
        (372, 0.8, "#7A2B35"),
        (820, 1.05, "#33503F"),
        (1190, 0.95, "#4B3A63"),
        (1262, 1.0, "#26324A"),
    ):
        c.shape([(x - 34 * scale, 940), (x - 24 * scale, 800), (x + 24 * scale, 800), (x + 34 * scale, 940)], coat)
        c.disc(x, 776, 23 * scale, "#8C6250")
        c.shape([(x - 25 * scale, 770), (x, 735), (x + 25 * scale, 770)], mix(rgb(coat), (255, 255, 255), 0.25))
        c.disc(x, 944, 52 * scale, "#413C57", 0.16)


def oyster_road(c: Canvas) -> None:
    """Green hills, a pale sun, and boats sitting on the sand."""
    c.glow(1120, 230, 460, "#FFFDF0", 0.85)
    c.disc(1120, 230, 60, "#FFFEF6")
    c.hills(470, 150, "#B7CDB4", 1.2)
    c.hills(520, 150, "#8FB18C", 1.7)
    ridge = c.hills(590, 140, "#6A9568", 1.4)
    for x, y in ridge[::9]:
        c.disc(x, y + 30, c.random.uniform(12, 24), "#55805A", 0.8)
    c.hills(640, 90, "#4C7A55", 1.1, 660)
    c.box(0, 632, W, H, "#D9C9A3")
    for i in range(9):
        y = 650 + i * 40
        c.hills(y + 26, 16, mix(rgb("#E2D3AE"), rgb("#BFA87B"), i / 8), 2.2 + i * 0.15, y + 60)
    pools = [(300, 700, 240), (980, 690, 320), (640, 790, 380), (1300, 850, 330), (180, 900, 300)]
    for x, y, r in pools:
        c.disc(x, y, r, "#A9C7C9", 0.09)
        c.disc(x + r * 0.1, y - 3, r * 0.72, "#CFE0DA", 0.05)
    for k in range(22):
        y = 660 + k * 15.5
        x = 820 - 300 * (k / 21) ** 1.4
        s = 5 + 22 * k / 21
        c.disc(x, y, s * 1.9, c.random.choice(["#9C8E70", "#8B7E63", "#AA9B7B"]), 0.34)
    for x, y, size, sail, hull in (
        (380, 716, 190, "#F8F1E1", "#27425F"),
        (1070, 720, 150, "#E9B08A", "#6B2B2B"),
        (1290, 760, 250, "#FBF6E9", "#2F533D"),
        (690, 678, 96, "#F8F1E1", "#3A2F55"),
    ):
        c.disc(x + size * 0.06, y + size * 0.06, size * 0.5, "#AD9A6F", 0.1)
        sailing_boat(c, x, y, size, sail, hull)
    for k in range(7):
        x, y = 120 + k * 66, 940 - k * 42
        c.line([(x, y), (x + 4, y - 96 + k * 9)], "#6B5A3E", 5 - k * 0.4)


def wader(c: Canvas, x: float, y: float, s: float, colour: str, feeding: bool, flip: int) -> None:
    """A curlew standing on one long leg and another, its bill a long curve."""
    head = (x + flip * (1.55 * s if feeding else 0.95 * s), y - (0.15 * s if feeding else 1.25 * s))
    c.disc(x, y - 0.2 * s, 0.86 * s, colour, 0.52)
    c.shape(
        [(x - flip * 0.5 * s, y - 0.5 * s), (x - flip * 1.5 * s, y - 0.05 * s), (x - flip * 0.4 * s, y + 0.16 * s)],
        colour,
    )
    c.shape(
        [
            (x + flip * 0.35 * s, y - 0.6 * s),
            (head[0] - flip * 0.16 * s, head[1] - 0.14 * s),
            (head[0] + flip * 0.14 * s, head[1] + 0.18 * s),
            (x + flip * 0.86 * s, y - 0.1 * s),
        ],
        colour,
    )
    c.disc(head[0], head[1], 0.27 * s, colour)
    drop = 1.0 if feeding else 0.55
    bill = [(head[0] + flip * s * (0.15 + 1.15 * t), head[1] + s * drop * t**2) for t in (0, 0.25, 0.5, 0.75, 1.0)]
    c.line(bill, colour, max(2.5, 0.1 * s))
    for dx in (-0.16, 0.2):
        c.line(
            [(x + dx * s, y + 0.1 * s), (x + (dx - flip * 0.06) * s, y + 0.8 * s), (x + dx * s, y + 1.45 * s)],
            colour,
            max(2.2, 0.075 * s),
        )


def curlews(c: Canvas) -> None:
    """Waders on the flats at violet dusk."""
    c.glow(520, 520, 640, "#FFD9B8", 0.7)
    c.disc(520, 500, 54, "#FFEBD2")
    c.hills(540, 70, "#8A6A94", 1.5)
    c.hills(560, 40, "#6E5486", 2.2)
    for i in range(62):
        c.box(0, 558 + i * 7.3, W, 566 + i * 7.3, mix(rgb("#D7A2A0"), rgb("#3C2F5C"), (i / 61) ** 0.8))
    c.ripples(570, 980, "#EFC3B0", 120)
    c.ripples(562, 900, "#FFE9CC", 110, (400, 650))
    c.ripples(640, 990, "#4A3A6B", 110)
    for y, w in ((690, 900), (800, 700)):
        c.disc(1180, y, w * 0.5, "#4E3D66", 0.06)
    dark = "#241C3B"
    for x, y, s, feeding, flip in (
        (360, 690, 46, False, 1),
        (610, 640, 30, True, -1),
        (830, 700, 52, True, 1),
        (1150, 640, 34, False, -1),
        (1310, 720, 66, False, -1),
        (1010, 620, 24, False, 1),
    ):
        wader(c, x, y, s, dark, feeding, flip)
        for k in range(7):
            yy = y + 1.5 * s + k * 0.2 * s
            half = s * c.random.uniform(0.2, 0.7)
            c.box(x - half, yy, x + half, yy + 3, "#3A2E57", 2)
    for _ in range(64):
        x = c.random.choice([c.random.uniform(-20, 300), c.random.uniform(1380, W + 20)])
        top = H - c.random.uniform(140, 400)
        lean = c.random.uniform(-26, 34)
        c.line([(x, H + 10), (x + lean * 0.4, (H + top) / 2), (x + lean, top)], dark, c.random.uniform(3, 6))
        if c.random.random() < 0.45:
            c.shape([(x + lean - 6, top + 8), (x + lean + 1, top - 44), (x + lean + 8, top + 8)], "#35284F")
    for i in range(7):
        bird(c, 900 + i * 62, 210 + abs(i - 3) * 24, 20, "#4E3D66")


PICTURES: dict[str, tuple[Callable[[Canvas], None], list[str], int]] = {
    "ferry-at-dusk.jpg": (ferry_at_dusk, ["#F2A65A", "#F6B66C", "#F7C487", "#EFA58A", "#C77A7E"], 11),
    "lowmarsh-geese.jpg": (lowmarsh_geese, ["#AFC6CF", "#C9D6D3", "#E7E6D4", "#F3EBD3", "#F3EBD3"], 4),
    "staithe-hill.jpg": (staithe_hill, ["#7FB2C9", "#9CC5D3", "#C2DAD9", "#E4E6D8", "#E4E6D8"], 7),
    "ropewalk-repairs.jpg": (ropewalk_repairs, ["#DCE3DC", "#DCE3DC"], 3),
    "night-train.jpg": (night_train, ["#0F1835", "#1A2750", "#2B3A6B", "#4A5788", "#5E6A99"], 5),
    "quay-market.jpg": (quay_market, ["#1B2350", "#2C376E", "#4C5190", "#8A6E9C", "#C58A96"], 9),
    "oyster-road.jpg": (oyster_road, ["#BBD6DD", "#CFE2DF", "#E6EBDC", "#F1EFDD", "#F1EFDD"], 21),
    "curlews.jpg": (curlews, ["#5B4A86", "#7F639A", "#B584A6", "#E0A79F", "#F2C6A0"], 2),
}
"""File name: who draws it, the colours of the sky from the top down, the seed."""


def main() -> None:
    """Draw every picture."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, (scene, sky, seed) in PICTURES.items():
        canvas = Canvas(sky, seed)
        scene(canvas)
        canvas.save(name)
        print(f"{name}: {(OUT / name).stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
