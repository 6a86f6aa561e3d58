"""Themes: look-up, sandbox, and errors that say where and in which story."""

from __future__ import annotations

import os
import time

import pytest

from newsletter.errors import ThemeError
from newsletter.models import Section
from newsletter.rendering import environment
from newsletter.rendering.environment import Templates

PAGE = "<!DOCTYPE html><html><head><title>x</title></head><body>{}</body></html>"


def test_html_is_escaped_and_text_is_not(desk):
    desk.write("plain/a.html.j2", "{{ x }}")
    desk.write("plain/a.txt.j2", "{{ x }}")
    templates = Templates(desk.theme())
    assert templates.render("a.html.j2", {"x": "<&"}) == "&lt;&amp;"
    assert templates.render("a.txt.j2", {"x": "<&"}) == "<&"


def test_names_mean_the_theme_in_front_the_built_in_one_or_the_first_folder(desk, tmp_path, monkeypatch):
    builtin = tmp_path / "built" / "plain"
    builtin.mkdir(parents=True)
    (builtin / "only.html.j2").write_text("built-in")
    monkeypatch.setattr(environment, "builtin_templates", lambda: tmp_path / "built")
    desk.write("plain/only.html.j2", "plain's")
    desk.write("child/only.html.j2", "child's")
    desk.write("plain/child/only.html.j2", "a folder's")
    templates = Templates(desk.theme("child"))
    for name, wanted in {
        "only.html.j2": "child's",
        "plain/only.html.j2": "plain's",
        "child/only.html.j2": "child's",
        "builtin/plain/only.html.j2": "built-in",
    }.items():
        assert templates.render(name, {}) == wanted
    assert Templates(desk.theme("plain")).render("child/only.html.j2", {}) == "a folder's"
    assert templates.find("builtin/plain/none.html.j2") is None


@pytest.mark.parametrize("name", ["../plain/email.html.j2", "/etc/passwd", "plain/../../x"])
def test_a_template_cannot_reach_out_of_the_theme(desk, issue, name):
    desk.write("plain/email.html.j2", f'{{% include "{name}" %}}')
    with pytest.raises(ThemeError, match="outside the theme"):
        desk.render(issue())


def test_macros_that_are_imported_see_every_variable(desk):
    desk.write("plain/m.html.j2", "{% macro m() %}{{ tokens.accent }} {{ t('Hi') }}{% endmacro %}")
    desk.write("plain/a.html.j2", '{% import "m.html.j2" as parts %}{{ parts.m() }}')
    made = Templates(desk.theme()).render("a.html.j2", {"tokens": {"accent": "red"}, "t": str.upper})
    assert made == "red HI"


def test_a_changed_file_is_seen_and_an_unchanged_one_is_not_compiled_again(desk, monkeypatch):
    path = desk.write("plain/a.html.j2", "one")
    assert Templates(desk.theme()).render("a.html.j2", {}) == "one"
    monkeypatch.setattr(environment, "_COMPILED_LIMIT", 1)
    calls = []
    original = environment.ImmutableSandboxedEnvironment.compile
    monkeypatch.setattr(
        environment.ImmutableSandboxedEnvironment, "compile", lambda *a, **k: calls.append(a) or original(*a, **k)
    )
    assert Templates(desk.theme()).render("a.html.j2", {}) == "one" and calls == []
    path.write_text("two")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1000))
    assert Templates(desk.theme()).render("a.html.j2", {}) == "two" and len(calls) == 1


@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ("\n{% if %}", "does not parse", 2),
        ("\n\n{{ issue.subjekt }}", "no attribute 'subjekt'", 3),
        ("{{ nothing }}", "'nothing' is undefined", 1),
        ("{{ tokens.acent }}", "acent", 1),
        ('\n{% include "none.html.j2" %}', "no template 'none.html.j2'", 2),
        ("\n{{ 1 / 0 }}", "division by zero", 2),
        ("{{ issue.subject.missing() }}", "missing", 1),
        ("{{ [1][5].x }}", "undefined|no element", 1),
        ('{% extends "plain/email.html.j2" %}', "without end", 1),
        ("{{ ''.__class__.__mro__ }}", "unsafe|undefined|access", 1),
        ("{{ sections.append(1) }}", "no attribute 'append'", 1),
        ("{{ [1, 2] | random }}", "No filter named 'random'", 1),
        ("{{ lipsum() }}", "'lipsum' is undefined", 1),
        ("{{ range(999999999) | list }}", "Range too big", 1),
        ("{{ issue._marks }}", "_marks", 1),
        ("{{ sections[0].articles[0]._marks }}", "_marks", 1),
        ("{{ t() }}", "missing 1 required positional", 1),
    ],
)
def test_errors_name_the_file_and_the_line(desk, issue, source, words, line):
    path = desk.write("plain/email.html.j2", source)
    with pytest.raises(ThemeError, match=words) as caught:
        desk.render(issue())
    assert caught.value.where == f"{path}:{line}" and caught.value.fix


def test_errors_in_a_macro_name_its_file_and_the_story(desk, issue, story):
    path = desk.write("plain/parts.html.j2", "{% macro story(article) %}\n{{ article.headlin }}{% endmacro %}")
    with pytest.raises(ThemeError, match=r"headlin.*\(while setting the story ferry\)") as caught:
        desk.render(issue(Section("list", (story("ferry"), story("two")))))
    assert caught.value.where == f"{path}:2"


def test_a_template_that_is_not_utf8_or_not_there_or_huge(desk, issue, monkeypatch):
    path = desk.write("plain/email.html.j2", "")
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ThemeError, match="UTF-8") as caught:
        desk.render(issue())
    assert caught.value.where == str(path)
    monkeypatch.setattr(environment, "_MAX_TEMPLATE", 2)
    with pytest.raises(ThemeError, match="at most 1 MiB"):
        desk.render(issue())
    path.unlink()
    with pytest.raises(ThemeError, match=r"no template 'email\.html\.j2'"):
        desk.render(issue())


def test_css_is_filled_in_and_hash_signs_are_no_comments(desk):
    desk.write("plain/x.css", "@media x {#top{color:{{ tokens.accent }}}}/*# gone #*/")
    assert Templates(desk.theme()).css("x.css", {"tokens": {"accent": "<red>"}}) == "@media x {#top{color:<red>}}"
    assert Templates(desk.theme()).css("none.css", {}) == ""


def test_a_theme_without_style_sheets_works(desk, issue):
    (desk.root / "templates/plain/style.css").unlink()
    (desk.root / "templates/plain/client.css").unlink()
    html = desk.render(issue()).html
    assert "<style" not in html and "class=" not in html
