"""newsletter.toml: what it may say, which line is wrong, and where secrets come from."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigurationError
from newsletter.workspace.config import (
    config_keys,
    load_config,
    parse_config,
    parse_duration,
    parse_rate,
    resolve_secret,
    set_config_value,
)
from newsletter.workspace.paths import Workspace
from newsletter.workspace.settings import CLIENT_SHARES, SecretRef
from newsletter.workspace.tomlplaces import line_of

NAME = '[publication]\nname = "The Weekly"\n'

FULL = """\
# The paper's own words.
sender_installation = "abc"

[publication]
name = "The Weekly"   # in the masthead
language = "ur"
timezone = "Asia/Karachi"
theme = "builtin/weekly"
logo = "art/logo.png"

[sender]
name = "The Weekly"
email = "letter@xn--bcher-kva.example"
reply_to = "desk@example.org"

[site]
url = "https://news.example.org/letters/"

[provider]
name = "smtp"
rate = "20/s"
[provider.smtp]
host = "mail.example.org"
password = {env = "SMTP_PASSWORD"}
[provider.sendgrid]
api_key = {file = "secrets/sendgrid"}

[images]
delivery = "hosted"
allow_hosts = ["pictures.local"]

[test]
to = ["desk@example.org"]

[audience]
attributes = ["first_name", "city"]

[checks]
html-large = "off"

[schedule]
lateness = "1h30m"
"""


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "newsletter.toml").write_text(FULL)
    return Workspace(tmp_path)


def test_everything_is_read_and_the_rest_has_its_default(ws: Workspace) -> None:
    """Typed, frozen; the site's URL has no slash at its end."""
    config = load_config(ws)
    assert config.site.url == "https://news.example.org/letters"
    assert config.provider.smtp is not None
    assert (config.provider.smtp.port, config.provider.smtp.password) == (587, SecretRef(env="SMTP_PASSWORD"))
    assert config.checks == {"html-large": "off"}
    small = parse_config(NAME + "[site]\nurl = ''\n")
    assert small.site.url is None
    assert (small.provider.name, small.provider.rate, small.images.delivery) == ("outbox", "0", None)
    assert small.audience.attributes == ["first_name"]
    assert small.audience.clients == CLIENT_SHARES
    own = parse_config(NAME + "[audience]\nclients = {apple-mail = 48, gmail = 0.5}\n")
    assert own.audience.clients == {"apple-mail": 48.0, "gmail": 0.5}
    with pytest.raises(AttributeError):
        small.publication.name = "x"  # type: ignore[misc]  # that it fails is the claim


def test_line_ends_and_a_byte_order_mark_do_not_matter(ws: Workspace) -> None:
    """As an editor on another system saves it."""
    ws.config_file.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load_config(ws).publication.language == "ur"


@pytest.mark.parametrize(
    ("toml", "line", "message"),
    [
        ('[publication]\nnmae = "x"\n', 2, 'publication.nmae: unknown key\n  Fix: did you mean "name"?'),
        (NAME + "[sendr]\n", 3, 'sendr: unknown key\n  Fix: did you mean "sender"?'),
        (NAME + "[zzz]\n", 3, "the keys here are alerts, audience,"),
        (NAME + "language = 7\n", 3, "publication.language: expected text, found a whole number"),
        (NAME + 'language = "english!"\n', 3, "is no language tag"),
        (NAME + 'timezone = "Europe/Lodnon"\n', 3, 'no time zone\n  Fix: did you mean "Europe/London"?'),
        (NAME + 'timezone = "../etc/passwd"\n', 3, "no time zone"),
        (NAME + 'timezone = "Zzzz"\n', 3, "IANA name"),
        (NAME + 'timezone = "Europe"\n', 3, "no time zone"),
        (NAME + 'timezone = ""\n', 3, "no time zone"),
        (NAME + 'theme = "../weekly"\n', 3, "no name of a theme"),
        (NAME + 'logo = "../logo.png"\n', 3, "in the workspace"),
        (NAME + 'logo = "/logo.png"\n', 3, "in the workspace"),
        ('[publication]\nname = " "\n', 2, "needs a name"),
        ('[publication]\nname = "a\\nBcc: b"\n', 2, "line breaks"),
        (NAME + '[sender]\nname = "a\\r\\nb"\n', 4, "line breaks"),
        ("[sender]\n", 1, "[publication] is missing"),
        ("[publication]\n", 1, "publication.name: this key is missing"),
        ("publication = 3\n", 1, "publication: expected a table"),
        (
            NAME + '[sender]\nemail = "letter.example.org"\n',
            4,
            "sender.email: 'letter.example.org' is no email address",
        ),
        (NAME + '[sender]\nemail = "The Letter <l@example.org>"\n', 4, "without a display name"),
        (NAME + '[sender]\nreply_to = "a@b@c"\n', 4, "sender.reply_to"),
        (NAME + '[test]\nto = ["a@b", ""]\n', 4, "test.to"),
        (NAME + '[test]\nto = "a@b"\n', 4, "expected a list, found text"),
        (NAME + '[site]\nurl = "news.example.org"\n', 4, "no absolute http(s) URL"),
        (NAME + '[site]\nurl = "ftp://news.example.org"\n', 4, "no absolute http(s) URL"),
        (NAME + '[site]\nurl = "https://news.example.org/?a=b"\n', 4, "no ? and no #"),
        (NAME + '[site]\nurl = "https://me:pw@news.example.org"\n', 4, "no user name"),
        (NAME + '[site]\nurl = "https://[::1"\n', 4, "no URL"),
        (NAME + '[site]\nurl = "https://a:99999"\n', 4, "no URL"),
        (NAME + '[provider]\nrate = "20 per second"\n', 4, "provider.rate: '20 per second' is no rate"),
        (NAME + '[provider]\nrate = "0/s"\n', 4, "is no rate"),
        (NAME + '[provider.outbox]\npath = ""\n', 4, "needs a folder"),
        (NAME + '[provider.smtp]\nhost = "smtp://x"\n', 4, "no host name"),
        (NAME + '[provider.smtp]\nhost = "x"\nport = 0\n', 5, "no port"),
        (NAME + '[provider.smtp]\nhost = "x"\nconnections = 0\n', 5, "connections"),
        (NAME + '[provider.smtp]\nhost = "x"\ntimeout = 0.0\n', 5, "time-out"),
        (NAME + '[provider.smtp]\nhost = "x"\nbounce_domain = "a b"\n', 5, "no domain"),
        (
            NAME + '[provider.smtp]\nhost = "x"\nsecurity = "startls"\n',
            5,
            "none of starttls, tls, none\n  Fix: did you mean",
        ),
        (NAME + "[provider.smtp]\nport = 25\n", 3, "provider.smtp.host: this key is missing"),
        (NAME + '[provider.sendgrid]\nhost = "api"\n', 4, "no absolute http(s) URL"),
        (NAME + '[provider.sendgrid]\nhost = ""\n', 4, "no absolute http(s) URL"),
        (NAME + "[provider.sendgrid]\ntimeout = 0.0\n", 4, "time-out"),
        (NAME + '[images]\ndelivery = "hostd"\n', 4, "images.delivery: 'hostd' is none of embedded, hosted, remote"),
        (NAME + '[images]\nallow_hosts = ["http://x/"]\n', 4, "no host name"),
        (NAME + '[audience]\nattributes = ["First Name"]\n', 4, "cannot be an attribute"),
        (NAME + '[audience]\nattributes = ["web_url"]\n', 4, "merge field of its own"),
        (NAME + '[audience]\nattributes = ["a", "a"]\n', 4, "there twice"),
        (NAME + "[audience]\nclients = {gmial = 4}\n", 4, 'mail client\n  Fix: did you mean "gmail"?'),
        (NAME + "[audience.clients]\ngmail = 4\nlotus-notes = 3\n", 5, "the clients are apple-mail, gmail,"),
        (NAME + "[audience]\nclients = {gmail = -1}\n", 4, "audience.clients.gmail: -1 is no share"),
        (NAME + "[audience]\nclients = {gmail = inf}\n", 4, "inf is no share"),
        (NAME + "[audience]\nclients = {gmail = nan}\n", 4, "nan is no share"),
        (NAME + '[audience]\nclients = {gmail = "29 %"}\n', 4, "audience.clients.gmail: expected a number, found text"),
        (NAME + "[audience]\nclients = {gmail = 0}\n", 4, "nobody reads with any of them"),
        (NAME + "[audience]\nclients = {}\n", 4, "nobody reads with any of them"),
        (NAME + '[checks]\nx = "loud"\n', 4, "checks.x: 'loud' is none of error, warning, info, off"),
        (NAME + '[schedule]\nlateness = "2 hours"\n', 4, "schedule.lateness: '2 hours' is no duration"),
        (NAME + '[schedule]\nspread = "-5m"\n', 4, "schedule.spread: '-5m' is no duration"),
        (NAME + '[provider.per_domain]\n"a b" = "1/s"\n', 3, "provider.per_domain: 'a b' is no mailbox domain"),
        (NAME + '[provider]\nper_domain = {"*" = "fast"}\n', 4, "provider.per_domain: 'fast' is no rate"),
        (NAME + '[schedule]\nundo = "5 min"\n', 4, "schedule.undo: '5 min' is no duration"),
        (NAME + 'language = "ur\n', 3, "this is not TOML"),
        (NAME + "language ur\n", 3, "this is not TOML"),
        (NAME + "x = [1,\n", 3, "this is not TOML"),
        (NAME + 'name = "twice"\n', 3, "this is not TOML"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line(ws: Workspace, toml: str, line: int, message: str) -> None:
    """File, line, dotted key, what was expected, the nearest word; exit code 78."""
    ws.config_file.write_text(toml)
    with pytest.raises(ConfigurationError) as caught:
        load_config(ws)
    assert caught.value.where == f"newsletter.toml:{line}"
    assert message in str(caught.value)
    assert caught.value.fix
    assert caught.value.exit_code == 78


@pytest.mark.parametrize(
    "toml",
    [
        '[provider.smtp]\nhost = "x"\npassword = "hunter2"\n',
        '[provider.sendgrid]\napi_key = "hunter2"\n',
        '[provider.sendgrid]\napi_key = {env = "SG.hunter2"}\n',
        '[provider.sendgrid]\napi_key = {env = "A", file = "hunter2"}\n',
        "[provider.sendgrid]\napi_key = {}\n",
        '[provider.sendgrid]\napi_key = {file = ""}\n',
        '[provider.sendgrid]\napi_key = ["hunter2"]\n',
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(ws: Workspace, toml: str) -> None:
    """The fix shows the reference to write; no message, cause or context holds the value."""
    ws.config_file.write_text(NAME + toml)
    with pytest.raises(ConfigurationError, match="secret") as caught:
        load_config(ws)
    assert '{env = "' in str(caught.value)
    assert caught.value.__cause__ is None
    assert "hunter2" not in str(caught.value)


def test_the_fix_for_a_password_names_a_variable(ws: Workspace) -> None:
    """Ready to copy."""
    ws.config_file.write_text(NAME + '[provider.smtp]\nhost = "x"\npassword = "hunter2"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_config(ws)
    assert caught.value.where == "newsletter.toml:5"
    assert caught.value.fix is not None
    assert caught.value.fix.startswith('write password = {env = "SMTP_PASSWORD"} or password = {file = ')


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Missing, not UTF-8, a folder."""
    ws = Workspace(tmp_path)
    with pytest.raises(ConfigurationError, match="newsletter init"):
        load_config(ws)
    ws.config_file.write_bytes(b'[publication]\nname = "caf\xe9"\n')
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_config(ws)
    ws.config_file.unlink()
    ws.config_file.mkdir()
    with pytest.raises(ConfigurationError, match="cannot read"):
        load_config(ws)


@given(st.text(max_size=40))
@settings(deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    """A Config or a ConfigurationError, whatever the file says."""
    for toml in (text, NAME + text, NAME + f"[site]\nurl = {text!r}\n", NAME + f"timezone = '''{text}'''\n"):
        try:
            parse_config(toml)
        except ConfigurationError as error:
            assert error.where


# -- values


@pytest.mark.parametrize(
    ("text", "value"),
    [("2h", 7200), ("30m", 1800), ("45s", 45), ("1d", 86400), ("0m", 0), ("0", 0), ("1h30m", 5400)],
)
def test_durations(text: str, value: int) -> None:
    """As the documentation writes them."""
    assert parse_duration(text, "schedule.lateness") == timedelta(seconds=value)


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 h", "2H", "1.5h", "99999999d", "٢h"])
def test_what_is_no_duration(text: str) -> None:
    """Named with its key."""
    with pytest.raises(ConfigurationError, match=r"schedule\.lateness"):
        parse_duration(text, "schedule.lateness")


@pytest.mark.parametrize(
    ("text", "value"), [("20/s", 20.0), ("600/m", 10.0), ("3600/h", 1.0), ("0", 0.0), ("0.5/s", 0.5), ("20 / s", 20.0)]
)
def test_rates(text: str, value: float) -> None:
    """Mails per second; 0 is no limit."""
    assert parse_rate(text, "provider.rate") == value


@pytest.mark.parametrize("text", ["", "20", "/s", "-1/s", "0/m", "20/d", "nan/s", "inf/s"])
def test_what_is_no_rate(text: str) -> None:
    """Named with its key."""
    with pytest.raises(ConfigurationError, match=r"provider\.rate"):
        parse_rate(text, "provider.rate")


# -- changing


def test_setting_a_value_keeps_comments_and_order(ws: Workspace) -> None:
    """Only the one line differs; a new key goes into its table."""
    set_config_value(ws, "sender_installation", "def")
    assert ws.config_file.read_text() == FULL.replace('"abc"', '"def"')
    set_config_value(ws, "publication.name", "The Monthly")
    assert ws.config_file.read_text() == FULL.replace('"abc"', '"def"').replace('"The Weekly"   #', '"The Monthly"   #')
    set_config_value(ws, "provider.smtp.port", "465")
    set_config_value(ws, "provider.smtp.timeout", "2.5")
    set_config_value(ws, "images.fetch", "false")
    set_config_value(ws, "test.to", "a@example.org, b@example.org")
    set_config_value(ws, "checks.alt-missing", "error")
    config = load_config(ws)
    assert config.provider.smtp is not None
    assert (config.provider.smtp.port, config.provider.smtp.timeout, config.images.fetch) == (465, 2.5, False)
    assert config.test.to == ["a@example.org", "b@example.org"]
    assert config.checks["alt-missing"] == "error"


def test_a_new_top_level_key_comes_before_the_tables(ws: Workspace) -> None:
    """Behind a table it would belong to it."""
    ws.config_file.write_text("# words\n\n" + NAME)
    set_config_value(ws, "sender_installation", "abc")
    set_config_value(ws, "site.url", "https://news.example.org")
    assert load_config(ws).sender_installation == "abc"
    assert ws.config_file.read_text().startswith("# words\n")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("publication.nmae", "x", 'did you mean "publication.name"'),
        ("zzz", "x", "every key"),
        ("provider.smtp.password", "hunter2", "by hand"),
        ("provider.smtp.port", "many", "a number"),
        ("images.fetch", "yes", "true or false"),
        ("publication.timezone", "Mars", "no time zone"),
        ("checks.x", "loud", "none of error"),
    ],
)
def test_a_wrong_value_is_never_written(ws: Workspace, key: str, value: str, message: str) -> None:
    """The whole file must be right afterwards."""
    with pytest.raises(ConfigurationError) as caught:
        set_config_value(ws, key, value)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert ws.config_file.read_text() == FULL


def test_two_changes_at_once_are_both_kept(ws: Workspace) -> None:
    """Read, change and write are under one lock."""
    threads = [
        threading.Thread(target=set_config_value, args=(ws, f"checks.rule-{n}", "off"), daemon=True) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"rule-{n}" for n in range(8)} <= set(load_config(ws).checks)


def test_every_key_is_listed() -> None:
    """For the documentation's own test."""
    keys = config_keys()
    assert len(keys) == len(set(keys))
    assert {
        "publication.name",
        "provider.smtp.password",
        "provider.outbox.path",
        "checks",
        "sender_installation",
    } <= set(keys)
    assert "provider.smtp" not in keys


# -- secrets


def test_a_secret_from_the_environment(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset and empty are the same: the message names key, line, variable, and what cron needs."""
    ref = SecretRef(env="SMTP_PASSWORD")
    for value in (None, ""):
        if value is not None:
            monkeypatch.setenv("SMTP_PASSWORD", value)
        with pytest.raises(ConfigurationError) as caught:
            resolve_secret(ws, ref, "provider.smtp.password")
        assert caught.value.where == "newsletter.toml:24"
        assert "provider.smtp.password: the environment variable SMTP_PASSWORD is not set" in str(caught.value)
        assert "crontab" in str(caught.value)
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2 \n")
    assert resolve_secret(ws, ref, "provider.smtp.password") == "hunter2 \n"
    ws.config_file.unlink()
    with pytest.raises(ConfigurationError) as caught:
        resolve_secret(ws, SecretRef(env="SMTP_NONE"), "provider.smtp.password")
    assert caught.value.where == "newsletter.toml"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_from_a_file(ws: Workspace, end: str) -> None:
    """Relative to the workspace, mode 0600, one line end taken off."""
    path = ws.root / "secrets" / "sendgrid"
    path.parent.mkdir()
    path.write_bytes(f" hunter2 {end}".encode())
    path.chmod(0o600)
    ref = SecretRef(file="secrets/sendgrid")
    assert resolve_secret(ws, ref, "provider.sendgrid.api_key") == " hunter2 "
    path.chmod(0o400)
    assert resolve_secret(ws, SecretRef(file=str(path)), "provider.sendgrid.api_key") == " hunter2 "
    for mode in (0o640, 0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match=f"chmod 600 {path}") as caught:
            resolve_secret(ws, ref, "provider.sendgrid.api_key")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"hunter2\nhunter3\n", b"hunter2\0", b"hunter2\xff"])
def test_a_file_that_holds_no_secret(ws: Workspace, content: bytes) -> None:
    """Empty, two lines, not text: refused, and not repeated."""
    path = ws.root / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        resolve_secret(ws, SecretRef(file="secret"), "provider.sendgrid.api_key")
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.where == "newsletter.toml:26"


def test_a_file_that_is_not_there(ws: Workspace) -> None:
    """Says which path to write; a folder is none."""
    with pytest.raises(ConfigurationError, match="chmod 600"):
        resolve_secret(ws, SecretRef(file="secret"), "provider.sendgrid.api_key")
    with pytest.raises(ConfigurationError, match="is no file"):
        resolve_secret(ws, SecretRef(file="."), "provider.sendgrid.api_key")


def test_cron_needs_no_home_and_no_shell(ws: Workspace) -> None:
    """As ``env -i`` starts it: only the one variable, or none at all with a file."""
    secret = ws.root / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    code = (
        "import sys; from pathlib import Path\n"
        "from newsletter.workspace.config import load_config, resolve_secret\n"
        "from newsletter.workspace.paths import find_workspace\n"
        "from newsletter.workspace.settings import SecretRef\n"
        "ws = find_workspace(Path(sys.argv[1])); load_config(ws)\n"
        "refs = SecretRef(file='secret'), SecretRef(env='SMTP_PASSWORD')\n"
        "print(*(resolve_secret(ws, ref, 'k') for ref in refs))"
    )
    package = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(ws.root)],
        env={"SMTP_PASSWORD": "hunter3"}, cwd=package, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "hunter2 hunter3\n"
    assert "SMTP_PASSWORD" not in os.environ


# -- lines


def test_lines_of_keys_however_they_are_written() -> None:
    """Tables, dotted and quoted keys, inline tables; the nearest thing above when the key is not there."""
    text = '# c\na = 1\n"b".c = 2\n[d]\n  e = {f = 1}\n[d.g]\nh = 3\n[[l]]\nm = 1\n'
    wanted = {
        ("a",): 2, ("b", "c"): 3, ("d",): 4, ("d", "e", "f"): 5, ("d", "g"): 6, ("d", "g", "h"): 7, ("d", "x"): 4,
        ("l", 0, "m"): 9, ("x",): 1, (): 1,
    }  # fmt: skip
    assert {path: line_of(text, path) for path in wanted} == wanted
