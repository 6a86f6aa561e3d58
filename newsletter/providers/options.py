"""The options of a provider: plain values by name, checked before anything is built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from newsletter.errors import ConfigurationError, did_you_mean


class Options:
    """The table ``[provider.<name>]`` as plain values, secrets resolved. Its repr shows no value.

    Raises ConfigurationError for a key that is not in ``known``, and from each getter for a value of the wrong
    kind or out of range.
    """

    def __init__(self, provider: str, values: Mapping[str, object], known: Sequence[str]) -> None:
        self.provider = provider
        self._values = values
        for key in values:
            if key not in known:
                guess = did_you_mean(key, known)
                raise ConfigurationError(
                    f'the provider {provider} has no option "{key}"',
                    where=self.where(key),
                    fix=guess or f"known options: {', '.join(known)}",
                )

    def __repr__(self) -> str:
        return f"Options({self.provider!r}, keys={sorted(self._values)})"

    def where(self, key: str) -> str:
        """The place of an option, for error messages."""
        return f"newsletter.toml: provider.{self.provider}.{key}"

    def text(self, key: str, default: str | None = None) -> str | None:
        """A string, or the default when it is absent or empty."""
        value = self._values.get(key)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def required(self, key: str, fix: str) -> str:
        """A string that must be there."""
        value = self.text(key)
        if value is None:
            raise ConfigurationError(f"the provider {self.provider} needs {key}", where=self.where(key), fix=fix)
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(key) or default
        if value not in choices:
            raise self._wrong(key, "one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number in a range."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(key, f"a whole number from {least} to {most}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A duration in seconds, above zero and at most an hour."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
            raise self._wrong(key, "seconds, above 0 and at most 3600")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._values.get(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of strings")
        return tuple(value)

    def tables(self, key: str) -> tuple[Mapping[str, str], ...]:
        """A list of tables whose values are strings."""
        value = self._values.get(key) or ()
        if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
            raise self._wrong(key, "a list of tables")
        return tuple(value)

    def _wrong(self, key: str, expected: str) -> ConfigurationError:
        # Without the value: it may be a secret in the wrong place.
        return ConfigurationError(f"{key} is not {expected}", where=self.where(key), fix=f"give {expected}")
