"""A bucket of an S3 store, for the hosted pictures. boto3 is loaded only here, and only when a bucket is named.

Keys, profile, region and endpoint come from AWS's own variables and files (``AWS_PROFILE``, ``AWS_ACCESS_KEY_ID``,
``AWS_DEFAULT_REGION``, ``AWS_ENDPOINT_URL`` …), never from newsletter.toml. Messages carry the store's error code and
our words, never the store's text: it may quote a key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from newsletter.errors import ConfigurationError, NewsletterError, RemoteError, UsageProblem

SCHEME = "s3://"
CACHE_CONTROL = "public, max-age=31536000, immutable"
"""A picture is named by how it was made: what is under a name never changes, so it may be kept for a year."""

_ADDRESS = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(?P<prefix>[A-Za-z0-9._/~+=-]*))?")

_KEYS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
    "RequestExpired", "RequestTimeTooSkewed", "InvalidSecurity", "MissingSecurityHeader",
}  # fmt: skip
_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_RIGHTS = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"}
_NO_BUCKET = {"NoSuchBucket", "InvalidBucketName", "404"}

_CHECK_KEYS = "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and this machine's clock"


class _NoStore(Exception):
    """An answer that no S3 store gives."""


class Bucket:
    """The objects under a prefix. ``address`` is ``s3://bucket/prefix``.

    Raises UsageProblem for another address, ConfigurationError for what a person has to put right (the missing
    package, keys, rights, region, an unknown bucket), RemoteError for a store that fails or does not answer.
    """

    def __init__(self, address: str) -> None:
        parts = _ADDRESS.fullmatch(address)
        path = (parts["prefix"] or "").strip("/") if parts else ""
        if parts is None or (path and {"", ".", ".."} & {*path.split("/")}):
            raise UsageProblem("this is no address of a bucket", where=address, fix="write s3://BUCKET/FOLDER")
        self.address = f"{SCHEME}{parts['bucket']}/{path}".rstrip("/")
        self._bucket = parts["bucket"]
        self._prefix = f"{path}/" if path else ""
        _require_boto3(self.address)
        with self._translated():
            self._client = _client()

    def sizes(self) -> dict[str, int]:
        """The bytes of each object by name, without the prefix; objects in folders below it are left out."""
        found: dict[str, int] = {}
        # A web server that answers everything with a page would look like an empty bucket, and take every picture.
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            for page in pages:
                if "IsTruncated" not in page:
                    raise _NoStore
                for item in page.get("Contents", ()):
                    found[item["Key"].removeprefix(self._prefix)] = item["Size"]
        return found

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Write an object; the store keeps it whole, as its MD5 says, or not at all."""
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        with self._translated():
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=data,
                ContentType=content_type,
                CacheControl=CACHE_CONTROL,
                ContentMD5=digest,
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The vendor's errors as ours."""
        from botocore import exceptions as vendor

        try:
            yield
        except vendor.ClientError as error:
            # From None: a traceback must not show the store's text either.
            raise _refused(str(error.response.get("Error", {}).get("Code", "")), self.address) from None
        except (vendor.HTTPClientError, vendor.ConnectionError) as error:
            what = f"the store does not answer ({type(error).__name__})"
            raise RemoteError(
                what, where=self.address, fix="check the network and AWS_ENDPOINT_URL, then try again"
            ) from error
        except (vendor.BotoCoreError, ValueError, OSError) as error:
            what = f"the AWS settings of this machine cannot be used ({type(error).__name__})"
            raise ConfigurationError(what, where=self.address, fix=_fix_settings(error)) from error
        except Exception as error:  # the vendor's parser raises whatever it likes on what no store would answer
            what = f"what answers there is no S3 store ({type(error).__name__})"
            raise RemoteError(what, where=self.address, fix="check AWS_ENDPOINT_URL") from error


def _require_boto3(address: str) -> None:
    try:
        import boto3  # noqa: F401  # whether it is there is the question
    except ImportError as error:
        fix = "pip install 'newsletter[s3]'"
        raise ConfigurationError("copying to a bucket needs the package boto3", where=address, fix=fix) from error


def _client() -> Any:
    """An S3 client by the usual settings."""
    import boto3
    from botocore.config import Config

    options: dict[str, Any] = {
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"mode": "standard"},
        # Many stores that speak S3 know none of AWS's newer checksums; the MD5 that we send they all know.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    client = boto3.session.Session().client("s3", config=Config(**options))
    if not re.search(r"\.amazonaws\.com(?:\.cn)?(?::\d+)?/?\Z", client.meta.endpoint_url):
        # Another store rarely has a host name for each bucket; all of them know the bucket in the path.
        client = boto3.session.Session().client("s3", config=Config(**options, s3={"addressing_style": "path"}))
    return client


def _refused(code: str, where: str) -> NewsletterError:
    """The store's answer in our words."""
    said = f" ({code})" if re.fullmatch(r"[A-Za-z0-9.]{1,60}", code) else ""
    if code in _KEYS:
        return ConfigurationError(f"the store refuses the key{said}", where=where, fix=_CHECK_KEYS)
    if code in _RIGHTS:
        fix = "allow this key s3:ListBucket on the bucket and s3:PutObject below it"
        return ConfigurationError(f"the key may not list or write there{said}", where=where, fix=fix)
    if code in _REGION:
        return ConfigurationError(f"the bucket is in another region{said}", where=where, fix="set AWS_DEFAULT_REGION")
    if code in _NO_BUCKET:
        return ConfigurationError(f"there is no such bucket{said}", where=where, fix="make it, or check its name")
    fix = "run the command again: what has arrived is not sent twice"
    if not code or code.isdecimal():
        fix += "; or check AWS_ENDPOINT_URL: what answers there may be no S3 store"
    return RemoteError(f"the store did not do it{said}", where=where, fix=fix)


def _fix_settings(error: Exception) -> str:
    name = type(error).__name__
    if "Region" in name:
        return "set AWS_DEFAULT_REGION"
    if isinstance(error, ValueError):
        return "check AWS_ENDPOINT_URL"
    if "Credential" in name:
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "Token" in name or "SSO" in name:
        return "log in again: aws sso login"
    return "check AWS_PROFILE and the files in ~/.aws"
