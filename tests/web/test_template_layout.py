"""Line breaks of a template send nothing between tags and one space between words."""

import pytest
from jinja2 import Environment, StrictUndefined

from mission_control.web.fragments import TemplateLayout

CASES = {
    "between tags": ("<ul>\n  <li>a</li>\n  <li>b</li>\n</ul>\n", "<ul><li>a</li><li>b</li></ul>"),
    "around words": ("<p>\n  Read the\n  <a>guide</a>\n  first.\n</p>", "<p>Read the <a>guide</a> first.</p>"),
    "between words": ("one\n  two\n\n\n  three", "one two three"),
    "a space on one line stays": ("<b>a</b> <i>b</i>", "<b>a</b> <i>b</i>"),
    "inside a tag": ("<a class='x'\n   {% if yes %}id='y'{% endif %}\n   href='z'\n>", "<a class='x' id='y' href='z'>"),
    "a sign inside an attribute": ("<a href='a > b'\n   id='c'>\n  d\n</a>", "<a href='a > b' id='c'>d</a>"),
    "macro calls are tags": ("{{ icon('x') }}\n<b>a</b>\n{{ icon('y') }}\n", "[x]<b>a</b>[y]"),
    "values are words": ("<b>a</b>\n{{ name }}\n{{ name }}", "<b>a</b> n n"),
    "a macro call beside words": ("since\n{{ icon('x') }}\nor so", "since [x] or so"),
    "blocks": (
        "<p>a</p>\n{% if yes %}\n  <b>b</b>\n{% else %}\n  c\n{% endif %}\n<i>d</i>",
        "<p>a</p><b>b</b><i>d</i>",
    ),
    "loops": ("{% for one in [1, 2] %}\n  <b>{{ one }}</b>\n{% endfor %}\n", "<b>1</b><b>2</b>"),
    "comments": ("<b>a</b>\n{# why #}\n  {# so #}\n<b>b</b>", "<b>a</b><b>b</b>"),
    "a text area": ("<textarea>\n  {{ name }}\n</textarea>", "<textarea>n</textarea>"),
}


@pytest.mark.parametrize(("source", "sent"), CASES.values(), ids=list(CASES))
def test_line_breaks_depend_on_their_neighbours(source: str, sent: str) -> None:
    environment = Environment(extensions=[TemplateLayout], undefined=StrictUndefined)
    rendered = environment.from_string(source).render(yes=True, name="n", icon=lambda name: f"[{name}]")
    assert rendered == sent


def test_errors_name_the_line_of_the_source() -> None:
    environment = Environment(extensions=[TemplateLayout], undefined=StrictUndefined)
    template = environment.from_string("<p>\n\n\n{{ missing }}</p>")
    with pytest.raises(Exception, match="missing") as caught:
        template.render()
    lines = [entry.lineno for entry in caught.traceback if "template" in str(entry.path)]
    assert 4 in [line + 1 for line in lines]
