"""Whatever is sent to whichever address of the composer: no crash, no secret, no script that runs.

The addresses are read from the app, so one that is added is attacked by itself.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from newsletter.app.articles import add_article
from newsletter.app.desk import open_desk
from newsletter.web.composer.access import SAFE

ISSUE = "2026-11-27"
STORY = "passengers-buy-the-last-ferry"
SECRET = "canary-9f1c-never-shown"
SMTP = """
[provider]
name = "smtp"

[provider.smtp]
host = "127.0.0.1"
port = 9
security = "none"
username = "letter"
password = {env = "DESK_MAIL_PASSWORD"}
"""
NAMES = [
    "expected", "fields", "text", "article", "to", "check", "reason", "field", "do", "section", "at", "layout", "title",
    "values", "token", "seen", "counted", "when", "date", "time", "name", "note", "word", "number", "back", "story",
    "url", "focal", "words", "issue", "slug", "of", "address", "q", "as", "client", "scheme", "said", "key",
    "view", "source", "since", "from", "used", "after", "s.x", "f.headline", "take", "feed", "full", "all",
]  # fmt: skip
"""Fields that some endpoint reads; names that it does not know are among them for each."""


@pytest.fixture(scope="module")
def attacked(pristine: Path, tmp_path_factory: pytest.TempPathFactory, compose_module: Any) -> Iterator[Any]:
    """A composer whose mails would go to a server that is not there, with a password that nobody may see."""
    root = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("attacked") / "ws"))
    path = root / "newsletter.toml"
    text = re.sub(r'\[provider\]\n(#.*\n)*name = "outbox"\n', SMTP, path.read_text(encoding="utf-8"))
    assert "DESK_MAIL_PASSWORD" in text
    path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_MAIL_PASSWORD", SECRET)
        with compose_module(root) as served:
            yield served


def addresses(served: Any) -> list[tuple[str, str]]:
    """Every (method, path with its parameters) that the app knows."""
    found = [(m, r.path) for r in served.server.composer.routes for m in sorted(r.methods or ()) if m != "HEAD"]
    assert len(found) > 30
    return found


def filled(path: str, slug: str = ISSUE) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: {"slug": slug, "article": STORY}.get(found[1], "x"), path)


def unsafe(served: Any) -> list[tuple[str, str]]:
    return [(method, filled(path)) for method, path in addresses(served) if method not in SAFE]


def test_a_foreign_host_is_refused_at_every_address(attacked: Any) -> None:
    for method, path in addresses(attacked):
        assert attacked.ask(method, filled(path), "", Host="evil.test").status == 421, (method, path)


def test_a_request_of_another_site_is_refused_at_every_address_that_changes_something(attacked: Any) -> None:
    for method, path in unsafe(attacked):
        for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": None, "Origin": "http://evil.test"}):
            assert attacked.ask(method, path, "", **headers).status == 403, (method, path)


def test_without_a_session_every_address_is_shut(attacked: Any) -> None:
    attacked.signed_in()
    for method, path in addresses(attacked):
        if not path.startswith("/sign-in"):
            assert attacked.ask(method, filled(path), "", known=False).status == 403, (method, path)


def test_a_body_over_the_limit_is_refused_at_every_address_that_reads_one(attacked: Any) -> None:
    for method, path in unsafe(attacked):
        answer = attacked.ask(method, path, b"", Content_Length="90000000", Content_Type="application/json")
        reads = not re.search("/dismiss$|/later$|/back$|/ask$|/drop$|/export$|/run$|/sign-in/|/sign-out", path)
        assert answer.status in ((413, 400) if reads else (200, 303, 400, 403, 404, 413, 422)), (
            method,
            path,
            answer.status,
        )


def test_another_method_is_no_crash_at_any_address(attacked: Any) -> None:
    for path in {path for _, path in addresses(attacked)}:
        for method in ("DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
            if (method, path) not in addresses(attacked):
                assert attacked.ask(method, filled(path), "").status in (404, 405), (method, path)


_TEXT = st.text(max_size=40)
_NASTY = st.sampled_from(
    ["", "../../newsletter.toml", "..%2f..%2fkeys.json", "%00",
     "\r\nX-Injected: yes", "%0d%0aX-Injected:%20yes", ".git",
     "a" * 3000, "{{ 7*7 }}", "<script>", "2026-11-27", "2026-11-27/approved", "con", "ﬁ", "\u202e", "-1", "1e9",
     "null", "99999999999999999999", "\ud800", "now", "at", "true"]
)  # fmt: skip
_WORD = _NASTY | _TEXT
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | _WORD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | _WORD, inner, max_size=6),
    max_leaves=12,
)
_STEPS = st.fixed_dictionaries(
    {
        "do": st.sampled_from(["pick", "back", "move", "drop", "add-section", "set-section", "move-section", "x"]),
        "expected": _WORD,
    },
    optional={
        "article": _WORD, "section": st.integers(-(2**65), 2**65) | st.none(), "to": st.integers(), "at": st.integers(),
        "layout": _WORD, "title": _WORD, "values": st.dictionaries(_WORD, _WORD, max_size=3),
    },
)  # fmt: skip
_FORM = st.dictionaries(st.sampled_from(NAMES), _WORD, max_size=10)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="%")


def _form(fields: dict[str, str]) -> bytes:
    return urlencode({k: v.encode("utf-8", "surrogatepass") for k, v in fields.items()}).encode()


_BODY = st.one_of(
    st.binary(max_size=200),
    _FORM.map(_form),
    _JSON.map(lambda value: json.dumps(value).encode()),
    _STEPS.map(lambda value: json.dumps(value).encode()),
    st.just(b"[" * 50_000),
    st.just(b'{"expected": "' + b"a" * 300_000 + b'"}'),
)
_TYPE = st.sampled_from(
    ["application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "text/plain",
     "multipart/form-data; boundary=x", "", "application/json\t", "image/png"]
)  # fmt: skip


@settings(max_examples=350, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@given(
    pick=st.integers(0, 10_000),
    parts=st.lists(_WORD, min_size=3, max_size=3),
    known=st.booleans(),
    query=_FORM,
    body=_BODY,
    media=_TYPE,
    accept=st.sampled_from(["text/html", "application/json", "*/*"]),
)
@example(0, ["a", "b", "c"], True, {"as": "\r\nSet-Cookie: a=b"}, b"", "", "text/html")
def test_whatever_is_sent_is_answered_in_our_own_words(
    attacked: Any, pick: int, parts: list[str], known: bool, query: dict[str, str], body: bytes, media: str, accept: str
) -> None:
    """No crash, no trace of our insides, no header of the sender's making, and nowhere the password."""
    every = addresses(attacked)
    method, path = every[pick % len(every)]
    mine = iter(parts)
    values = {name: _quoted(next(mine, "x")) or "x" for name in re.findall(r"\{(\w+)\}", path)}
    if known:
        values |= {name: value for name, value in {"slug": ISSUE, "article": STORY}.items() if name in values}
    target = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)
    if path.endswith("/news"):
        target = target.replace(ISSUE, "2020-01-01")  # the news of an issue have no end
    asked = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    target = f"{target}?{urlencode(asked)}"[:8000]
    answer = attacked.ask(method, target, None if method in SAFE else body, Accept=accept, Content_Type=media or None)
    assert answer.status != 500, (method, target, body[:200], attacked.said[-1:])
    assert "x-injected" not in answer.headers and "a=b" not in answer.headers.get("set-cookie", "")
    said = answer.body.decode("utf-8", "replace") + str(answer.headers)
    assert "Traceback" not in said and "site-packages" not in said
    assert SECRET not in said


def test_what_was_said_to_the_operator_holds_no_secret_and_no_bug(attacked: Any) -> None:
    """After all that; also what the runs wrote to the log."""
    with open_desk(attacked.root) as desk:
        logs = [path.read_text(encoding="utf-8") for path in desk.workspace.logs.glob("*") if path.is_file()]
    heard = "\n".join([*attacked.said, *logs])
    assert SECRET not in heard and "bug in newsletter" not in heard


def test_a_test_mail_that_fails_says_why_without_the_password(attacked: Any) -> None:
    form = urlencode({"token": "s" * 22, "to": "maren@example.org"})
    answer = attacked.form(f"/issues/{ISSUE}/send/test", form, Accept="text/html")
    assert answer.status == 502 and 'role="alert"' in answer.text and SECRET not in answer.text


# ---- nothing that somebody wrote runs -------------------------------------------------------------------------------

HOSTILE = [
    "<script>window.ran = 1; console.error('ran')</script>",
    "<img src=x onerror=\"window.ran = 2; console.error('ran')\">",
    "\"'><svg onload=window.ran=3><script>window.ran=4</script></svg>",
    "</textarea></title></template><script>window.ran = 5</script>",
    "<style>* { display: none !important }</style><base href=//evil.test>",
    "{{ constructor.constructor('window.ran=6')() }} javascript:window.ran=7",
    '<a href="javascript:window.ran=8" autofocus onfocus=window.ran=9>x</a>',
    "<math><mtext></p><iframe srcdoc='<script>top.ran=10</script>'></math>",
]


@pytest.mark.chromium
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_in_every_field_run_on_no_screen_and_no_screen_complains(
    served: Any, screens: Callable[..., Any], hostile: str
) -> None:
    """Every field of a story and of the issue, a section's title, the inbox, a test's receivers, an approver's note."""
    base = f"/issues/{ISSUE}"
    state = served.state()
    fields = dict.fromkeys(("headline", "kicker", "standfirst", "teaser", "byline", "agency", "link_text"), hostile)
    fields |= {"image.alt": hostile, "image.caption": hostile, "image.credit": hostile}
    story = served.story(STORY)
    # An address that is none is refused; the words in it must be harmless on the page that says so.
    refused = served.send(
        "PUT", f"{base}/stories/{STORY}", {"expected": story["sha256"], "fields": {"link": f"javascript:{hostile}"}}
    )
    assert refused.status in (200, 422)
    story = served.story(STORY)
    saved = served.send(
        "PUT",
        f"{base}/stories/{STORY}",
        {"expected": story["sha256"], "fields": fields, "text": f"Words\n\n{hostile}\n"},
    )
    assert saved.status in (200, 422), saved.text
    if saved.status == 422:
        served.edit(f"{STORY}.md", "headline: ", f"headline: {json.dumps(hostile)}\nformer: ")
    issue = served.send(
        "PUT",
        f"{base}/text",
        {"expected": state["sha256"], "fields": {"subject": hostile, "preheader": hostile}, "text": hostile},
    )
    if issue.status == 200:
        served.send(
            "POST", f"{base}/arrange",
            {"do": "set-section", "expected": issue.json["files"][0]["now"], "section": 0,
             "values": {"title": hostile}},
        )  # fmt: skip
    with open_desk(served.root) as desk:
        add_article(desk, None, f"# Words {hostile}\n\nWords {hostile}\n".encode())
    screen = screens(served)
    dialogs: list[str] = []
    screen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    odd = quote(hostile)
    for path in (
        "/",
        "/inbox",
        f"/inbox?q={odd}",
        f"/inbox/clip?url=https://a.test/&title={odd}&words={odd}",
        base,
        f"{base}/send",
    ):
        screen.open(path)
        screen.page.wait_for_load_state("load")
        screen.page.wait_for_timeout(300 if path != base else 900)
        assert screen.page.evaluate("window.ran") is None, path
        if path == base:
            boxes = "all => all.map(box => box.value).join(' ')"
            assert hostile[:9] in screen.page.locator("[data-field]").evaluate_all(boxes), "it is not even there"
        for frame in screen.page.frames:
            assert frame.url.startswith((served.url, "about:"))
        assert screen.page.evaluate("getComputedStyle(document.body).display") != "none"
    form = urlencode(
        {"token": "h" * 22, "to": hostile, "when": "at", "date": hostile, "name": hostile, "note": hostile}
    )
    for act in ("test", "approve", "settle", "retract"):
        answer = served.form(f"{base}/send/{act}", form, Accept="text/html")
        assert hostile not in answer.text or "<" not in hostile, act
    told = ("Blocked script execution", "status of 422", "status of 400")
    assert dialogs == []
    assert [error for error in screen.errors if not any(words in error for words in told)] == []
