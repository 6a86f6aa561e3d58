"""Pictures reach an S3 store with the headers that a mail's pictures need; every refusal says what to do."""

from __future__ import annotations

import base64
import hashlib
import http.server
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from newsletter.errors import ConfigurationError, NewsletterError, RemoteError, UsageProblem
from newsletter.net.bucket import CACHE_CONTROL, Bucket

KEY, SECRET = "AKIAEXAMPLEEXAMPLE12", "sEcReT/do+not=print"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """AWS's variables as given, and no file or metadata service of this machine."""

    def use(endpoint: str, **more: str) -> None:
        given = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        for name, value in (given | more).items():
            if value:
                monkeypatch.setenv(name, value)

    return use


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """An S3 store in a thread of this process, on loopback; its endpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(store: str, settings: Callable[..., None]) -> Any:
    """A client of the store to look with, and an empty bucket ``weekly``."""
    import boto3

    settings(store)
    client = boto3.client("s3")
    client.create_bucket(Bucket="weekly", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    yield client
    while found := client.list_objects_v2(Bucket="weekly").get("Contents"):
        client.delete_objects(Bucket="weekly", Delete={"Objects": [{"Key": item["Key"]} for item in found]})
    client.delete_bucket(Bucket="weekly")


@pytest.fixture
def pictures(weekly: Path) -> Path:
    folder = weekly / ".newsletter" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("aa.jpg", "bb.png", "cc.jpg"):
        (folder / name).write_bytes(name.encode() * 100)
    (folder / ".dd.jpg.1.tmp").write_bytes(b"half")
    return folder


def test_only_what_is_missing_or_differs_is_uploaded(pictures: Path, s3: Any, run: Any) -> None:
    """With type and a year of caching; a second run sends nothing, and nothing is ever deleted."""
    s3.put_object(Bucket="weekly", Key="m/bb.png", Body=b"cut o")
    s3.put_object(Bucket="weekly", Key="m/old.jpg", Body=b"of last year")
    s3.put_object(Bucket="weekly", Key="m2/aa.jpg", Body=b"not ours")
    s3.put_object(Bucket="weekly", Key="m/deeper/cc.jpg", Body=b"nor this")
    first = run("media", "publish", "s3://weekly/m").out
    assert first == (
        "copied  aa.jpg\ncopied  cc.jpg\nreplaced  bb.png\n3 pictures copied to s3://weekly/m, 0 there already\n"
    )
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket="weekly")["Contents"]}
    assert keys == {"m/aa.jpg", "m/bb.png", "m/cc.jpg", "m/old.jpg", "m2/aa.jpg", "m/deeper/cc.jpg"}
    for name, kind in (("aa.jpg", "image/jpeg"), ("bb.png", "image/png"), ("cc.jpg", "image/jpeg")):
        found = s3.get_object(Bucket="weekly", Key=f"m/{name}")
        assert found["Body"].read() == (pictures / name).read_bytes()
        assert (found["ContentType"], found["CacheControl"]) == (kind, "public, max-age=31536000, immutable")
    before = s3.head_object(Bucket="weekly", Key="m/aa.jpg")["LastModified"]
    second = run("media", "publish", "--to", "s3://weekly/m/", "--json").json
    assert second == {
        "schema": "newsletter/media-publish/1", "to": "s3://weekly/m", "copied": [], "replaced": [], "unchanged": 3,
        "dry_run": False, "withdrawn": [],
    }  # fmt: skip
    assert s3.head_object(Bucket="weekly", Key="m/aa.jpg")["LastModified"] == before


def test_a_dry_run_uploads_nothing(pictures: Path, s3: Any, run: Any) -> None:
    """It lists the bucket and says what is missing; without a folder the names stand at its top."""
    s3.put_object(Bucket="weekly", Key="aa.jpg", Body=(pictures / "aa.jpg").read_bytes())
    done = run("media", "publish", "s3://weekly", "--dry-run", "--json").json
    assert (done["to"], done["copied"], done["unchanged"]) == ("s3://weekly", ["bb.png", "cc.jpg"], 1)
    assert len(s3.list_objects_v2(Bucket="weekly")["Contents"]) == 1
    run("media", "publish", "s3://weekly")
    assert len(s3.list_objects_v2(Bucket="weekly")["Contents"]) == 3


def test_an_unknown_bucket_is_said(pictures: Path, s3: Any, run: Any) -> None:
    """The store's own code is named, with what to do."""
    said = run("media", "publish", "s3://weakly/m", code=78).err
    assert "there is no such bucket (NoSuchBucket)" in said and "s3://weakly/m" in said and "check its name" in said


def test_the_extra_is_named_when_it_is_missing(
    pictures: Path, run: Any, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exact command; everything else works without it."""
    settings("http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "boto3", None)
    said = run("media", "publish", "s3://weekly/m", code=78).err
    assert "needs the package boto3" in said and "pip install 'newsletter[s3]'" in said
    run("media", "publish", str(pictures.parent / "copy"))


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3:///m",
        "s3://weekly/../m",
        "s3://weekly/a//b",
        "s3://key:secret@weekly/m",
        "s3://weekly/m?x=1",
        "s3://we ekly",
    ],
)
def test_what_is_no_address_of_a_bucket_is_refused(address: str) -> None:
    """Before anything is asked."""
    with pytest.raises(UsageProblem, match="no address of a bucket"):
        Bucket(address)


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives every request the answer of its server, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        size = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(self.rfile.read(size))
        status, body = self.server.answers[min(len(self.server.asked), len(self.server.answers)) - 1]
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[Callable[..., Any]]:
    """A server on loopback that answers as told, the last answer again and again."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def answer(status: int, *bodies: bytes) -> Any:
        server.answers, server.asked, server.bodies = [(status, body) for body in bodies], [], []
        return server

    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def refusal(code: str) -> bytes:
    """A store's answer, which quotes the key and more as some do."""
    return (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no, {KEY} and {SECRET}</Message>"
        f"<AWSAccessKeyId>{KEY}</AWSAccessKeyId><StringToSign>{SECRET}</StringToSign></Error>"
    ).encode()


def endpoint(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, "InvalidAccessKeyId", ConfigurationError, "AWS_PROFILE"),
        (403, "SignatureDoesNotMatch", ConfigurationError, "AWS_SECRET_ACCESS_KEY"),
        (400, "ExpiredToken", ConfigurationError, "refuses the key"),
        (403, "RequestTimeTooSkewed", ConfigurationError, "clock"),
        (403, "AccessDenied", ConfigurationError, "s3:PutObject"),
        (404, "NoSuchBucket", ConfigurationError, "no such bucket"),
        (400, "AuthorizationHeaderMalformed", ConfigurationError, "AWS_DEFAULT_REGION"),
        (503, "SlowDown", RemoteError, "run the command again"),
        (500, "InternalError", RemoteError, "InternalError"),
        (400, "Some&lt;b/&gt;", RemoteError, "did not do it\n"),
    ],
)
def test_a_store_s_refusal_is_ours_and_quotes_nothing(
    answering: Any, settings: Callable[..., None], status: int, code: str, kind: type[NewsletterError], words: str
) -> None:
    """What a person has to put right is a matter of configuration, the rest is the store's; no key is printed."""
    settings(endpoint(answering(status, refusal(code))), AWS_MAX_ATTEMPTS="1")
    bucket = Bucket("s3://weekly/m")
    for step in (bucket.sizes, lambda: bucket.put("aa.jpg", b"x", "image/jpeg")):
        with pytest.raises(kind, match=r"s3://weekly/m") as refused:
            step()
        said = str(refused.value)
        assert type(refused.value) is kind and words in said and refused.value.fix
        whole = "".join(traceback.format_exception(refused.value))
        assert KEY not in whole and SECRET not in whole


def test_more_pictures_than_one_answer_lists(answering: Any, settings: Callable[..., None]) -> None:
    """A store lists a thousand at a time and says that there are more."""
    page = (
        "<?xml version='1.0'?><ListBucketResult><Name>weekly</Name><Prefix>m/</Prefix><KeyCount>1</KeyCount>"
        "{}<Contents><Key>m/{}.jpg</Key><Size>{}</Size></Contents></ListBucketResult>"
    )
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>"
    last = "<IsTruncated>false</IsTruncated>"
    server = answering(200, page.format(more, "aa", 7).encode(), page.format(last, "bb", 8).encode())
    settings(endpoint(server))
    assert Bucket("s3://weekly/m").sizes() == {"aa.jpg": 7, "bb.jpg": 8}
    assert ["continuation-token=next" in path for _, path, _ in server.asked] == [False, True]


def test_what_goes_over_the_wire(answering: Any, settings: Callable[..., None]) -> None:
    """The bucket stands in the path, the MD5 lets the store refuse what was damaged, the body is the plain bytes."""
    server = answering(200, b"")
    settings(endpoint(server))
    Bucket("s3://weekly/m").put("aa.jpg", b"a picture", "image/jpeg")
    ((command, path, headers),) = server.asked
    assert (command, path) == ("PUT", "/weekly/m/aa.jpg") and server.bodies == [b"a picture"]
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent["content-md5"] == base64.b64encode(hashlib.md5(b"a picture").digest()).decode()
    assert (sent["content-type"], sent["cache-control"]) == ("image/jpeg", CACHE_CONTROL)
    assert not {name for name in sent if "checksum" in name or name == "transfer-encoding"}
    assert SECRET not in str(headers)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>Welcome"),
        (200, b"<html></html>"),
        (400, b"<html><body>Bad request</body></html>"),
        (400, b"<Error><Code><b>one</b></Code></Error>"),
        (403, b""),
    ],
)
def test_a_web_server_that_is_no_store(answering: Any, settings: Callable[..., None], status: int, body: bytes) -> None:
    """AWS_ENDPOINT_URL may lead to anything; what it answers is never taken for an empty bucket."""
    settings(endpoint(answering(status, body)), AWS_MAX_ATTEMPTS="1")
    with pytest.raises((RemoteError, ConfigurationError)) as refused:
        Bucket("s3://weekly/m").sizes()
    assert refused.value.fix


def test_a_store_that_does_not_answer(settings: Callable[..., None]) -> None:
    """Nobody listens there."""
    settings("http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    with pytest.raises(RemoteError, match="does not answer"):
        Bucket("s3://weekly/m").sizes()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_ENDPOINT_URL": "not an address"}, "AWS_ENDPOINT_URL"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE"),
        ({"AWS_DEFAULT_REGION": "no region!"}, "AWS_DEFAULT_REGION"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_CONFIG_FILE": __file__}, "~/.aws"),
    ],
)
def test_settings_that_cannot_be_used(settings: Callable[..., None], variables: dict[str, str], words: str) -> None:
    """Each names the variable to look at."""
    settings("http://127.0.0.1:9", **variables)
    with pytest.raises(ConfigurationError) as refused:
        Bucket("s3://weekly/m").sizes()
    assert words in (refused.value.fix or "") and SECRET not in str(refused.value)


def test_an_expired_login_is_said(
    settings: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile of single sign-on whose login is over."""
    profile = (
        "sso_start_url = https://x.example/start\nsso_region = eu-west-2\nsso_account_id = 1\nsso_role_name = editor\n"
    )
    (tmp_path / "config").write_text(f"[default]\n{profile}", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    settings("http://127.0.0.1:9", AWS_CONFIG_FILE=str(tmp_path / "config"), **keys)
    with pytest.raises(ConfigurationError) as refused:
        Bucket("s3://weekly/m").sizes()
    assert refused.value.fix == "log in again: aws sso login"


def test_amazon_s_own_store_has_a_host_for_each_bucket_and_others_have_not(settings: Callable[..., None]) -> None:
    """Nothing is asked: only the address is looked at."""

    def address() -> str:
        client = Bucket("s3://weekly/m")._client
        return str(client.generate_presigned_url("get_object", Params={"Bucket": "weekly", "Key": "m/aa.jpg"}))

    settings("")
    assert re.match(r"https://weekly\.s3\.(?:eu-west-2\.)?amazonaws\.com/m/aa\.jpg\?", address())
    settings("https://objects.paper.example")
    assert address().startswith("https://objects.paper.example/weekly/m/aa.jpg?")


def test_what_arrived_before_a_failure_is_not_sent_again(
    pictures: Path, s3: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store stops half way; the next call does the rest."""
    put, sent = Bucket.put, []

    def failing(self: Bucket, name: str, data: bytes, content_type: str) -> None:
        if name == "bb.png" and not sent:
            sent.append(name)
            raise RemoteError("the store did not do it", where="s3://weekly/m")
        put(self, name, data, content_type)

    monkeypatch.setattr(Bucket, "put", failing)
    run("media", "publish", "s3://weekly/m", code=69)
    assert run("media", "publish", "s3://weekly/m", "--json").json["copied"] == ["bb.png", "cc.jpg"]
    shutil.rmtree(pictures)
    assert "0 pictures copied" in run("media", "publish", "s3://weekly/m").out
