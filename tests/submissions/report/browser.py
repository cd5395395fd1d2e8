"""A headless Chromium, driven by Selenium through Debian's `chromium-driver`."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage")
KEYS = {"Tab": Keys.TAB, "Enter": Keys.ENTER}
SHEET = {"printBackground": True, "preferCSSPageSize": True}
#: Why tests that need a browser are left out; empty where there is one.
LACKING = (
    ""
    if shutil.which("chromedriver") and any(map(shutil.which, NAMES))
    else "no Chromium with its driver: apt-get install chromium chromium-driver"
)


class Browser:
    """One page in one browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def show(self, path: Path, *, width: int, dark: bool = False) -> None:
        """Open a file at a width, in light or dark; forget what happened before."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get("about:blank")  # a page that is open already would not be loaded again
        self.asked()
        self.complaints()
        self.driver.get(path.resolve().as_uri())

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command of the debugging protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(method, parameters)
        return answer

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a JavaScript expression on the page (the driver may run it where the page may not)."""
        return self.driver.execute_script(f"return {expression}")

    def key(self, name: str) -> None:
        """Press and release a key."""
        ActionChains(self.driver, duration=0).send_keys(KEYS[name]).perform()

    def asked(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def complaints(self) -> list[str]:
        """What the console said since the last call: errors, refusals, messages of scripts."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, rectangle: dict[str, float]) -> bytes:
        """A PNG of {x, y, width, height} in page coordinates."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=rectangle | {"scale": 1})
        return base64.b64decode(taken["data"])

    def printed_pages(self) -> int:
        """On how many sheets the page is printed."""
        return len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(self.call("Page.printToPDF", **SHEET)["data"])))


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser that is closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = next(path for name in NAMES if (path := shutil.which(name)))
    for flag in (*FLAGS, *QUIET):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
