"""Styles are sent without comments and spaces: the browser reads the same rules from both."""

import pytest
from playwright.async_api import Browser

from mission_control.web.assets import ROOT, read, smaller

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

RULES = """text => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return [...sheet.cssRules].map((rule) => rule.cssText.replace(/\\s+/g, " ").replace(/, /g, ","));
}"""


async def test_styles_mean_the_same_as_they_are_written(chromium: Browser) -> None:
    page = await chromium.new_page()
    try:
        for path in sorted((ROOT / "css").rglob("*.css")):
            name = path.relative_to(ROOT).as_posix()
            written, sent = [await page.evaluate(RULES, text.decode()) for text in (read(name), smaller(name))]
            assert written == sent, name
            assert written, name
    finally:
        await page.close()
