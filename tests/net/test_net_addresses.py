"""What may be fetched is decided by the address a name leads to, not by how the name is spelt."""

from __future__ import annotations

import ipaddress
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import FetchRefused, NewsletterError, RemoteError
from newsletter.net.addresses import Target, ascii_host, is_denied, read_url, resolve, shown

LOOSE = {"ports": (80, 443), "allow_hosts": ()}


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "::ffff:0:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1",
        "ff02::1",
    ],
)  # fmt: skip
def test_private_reserved_and_translated_networks_are_denied(address: str) -> None:
    """Each of these can lead into a private network, also those that ``is_global`` lets through on 3.11."""
    assert is_denied(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_public_addresses_are_not_denied(address: str) -> None:
    assert not is_denied(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
        "localhost", "localhost.", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
        "[::ffff:7f00:1]", "0", "0.0.0.0", "[::]", "１２７.0.0.1", "127。0。0。1", "[64:ff9b::7f00:1]",
    ],
)  # fmt: skip
def test_no_spelling_of_loopback_gets_through(spelling: str) -> None:
    """The resolver knows more spellings than any parser, so what it answers is what is checked."""
    with pytest.raises((FetchRefused, RemoteError)):
        target = read_url(f"http://{spelling}/x", **LOOSE)
        resolve(target, allow_hosts=(), timeout=5)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "file: addresses are not fetched"),
        ("gopher://example.org/", "gopher: addresses"),
        ("javascript:alert(1)", "javascript: addresses"),
        ("//example.org/x", "no web address"),
        ("story.html", "no web address"),
        ("", "no web address"),
        ("http://", "names no host"),
        ("http://./", "cannot be"),
        ("http:///path", "names no host"),
        ("https://ada:secret@example.org/", "user name or a password"),
        ("https://ada@example.org/", "user name or a password"),
        ("https://example.org:8080/", "port 8080"),
        ("https://example.org:99999/", "port is not a number"),
        ("https://example.org:x/", "port is not a number"),
        ("https://exa mple.org/", "space"),
        ("https://example.org/a\r\nHost: x", "control character"),
        ("https://example.org\\@127.0.0.1/", "backslash"),
        ("http://[::1/", "no web address"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://-ä-.example/", "host name cannot be one"),
        ("http://exa$mple.org/", "host name cannot be one"),
    ],
)
def test_a_url_that_is_never_fetched_says_why(url: str, words: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        read_url(url, **LOOSE)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_url_is_taken_apart_and_put_together_again() -> None:
    """The query string stays as it is, unknown characters are encoded, the fragment is not sent."""
    target = read_url("HTTPS://Bücher.Example./a b".replace(" ", "%20") + "/é?x=0%2C58&y=ü#part", **LOOSE)
    assert target == Target("https", "xn--bcher-kva.example", 443, "/a%20b/%C3%A9?x=0%2C58&y=%C3%BC")
    assert target.url == "https://xn--bcher-kva.example/a%20b/%C3%A9?x=0%2C58&y=%C3%BC"
    assert read_url("http://example.org:443", **LOOSE).netloc == "example.org:443"
    assert read_url("http://[2606:4700::1111]:80/", **LOOSE).netloc == "[2606:4700::1111]"


def test_a_listed_host_may_use_any_port_and_only_that_host() -> None:
    allow = {"ports": (80, 443), "allow_hosts": ("CMS.intern.", "[::1]")}
    assert read_url("http://cms.intern:8080/x", **allow).port == 8080
    assert read_url("http://[::1]:8080/x", **allow).netloc == "[::1]:8080"
    with pytest.raises(FetchRefused, match="port 8080"):
        read_url("http://evil.cms.intern:8080/x", **allow)


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_one_private_address_among_public_ones_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points both ways is not tried on its good side."""
    target = Target("http", "two-faced.example", 80, "/")
    _answers(monkeypatch, "93.184.216.34", "10.0.0.1")
    with pytest.raises(FetchRefused, match=r"10\.0\.0\.1") as refused:
        resolve(target, allow_hosts=(), timeout=1)
    assert 'add "two-faced.example" to allow_hosts' in str(refused.value)
    assert resolve(target, allow_hosts=("two-faced.example",), timeout=1) == ("93.184.216.34", "10.0.0.1")
    _answers(monkeypatch, "93.184.216.34", "93.184.216.34", "8.8.8.8")
    assert resolve(target, allow_hosts=(), timeout=1) == ("93.184.216.34", "8.8.8.8")
    _answers(monkeypatch, "fe80::1%eth0")
    with pytest.raises(FetchRefused):
        resolve(target, allow_hosts=(), timeout=1)


def test_a_name_that_does_not_resolve_is_a_remote_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(RemoteError, match="does not resolve") as failed:
        resolve(Target("http", "nowhere.example", 80, "/"), allow_hosts=(), timeout=1)
    assert not isinstance(failed.value, FetchRefused)
    assert isinstance(failed.value.__cause__, OSError)


def test_a_resolver_that_hangs_does_not_hang_the_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5))
    with pytest.raises(RemoteError, match="was not resolved within"):
        resolve(Target("http", "slow.example", 80, "/"), allow_hosts=(), timeout=0.05)
    release.set()


def test_messages_never_show_a_password_or_a_query() -> None:
    assert shown("https://ada:pw@example.org/x?token=1#f") == "https://example.org/x"
    assert len(shown("https://example.org/" + "x" * 500)) == 120
    assert ascii_host("EXAMPLE.org.") == "example.org"


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: "http://" + rest))
def test_any_text_is_a_target_or_a_clear_refusal(url: str) -> None:
    """Reading a URL never fails in another way."""
    try:
        target = read_url(url, **LOOSE)
    except NewsletterError:
        return
    assert target.port in (80, 443)
    assert target.path.startswith("/")
    target.url.encode("ascii")
