"""A browser at the page: Debian's chromium, without a window.

A browser is started once for each language, with and without JavaScript. Each test gets a fresh tab
of it, without cookies.
"""

import atexit
import importlib.resources
import os
import pathlib

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SCREENSHOTS = os.environ.get("SCREENSHOTS")
# Only a machine that is busy with other work comes near it.
PATIENCE = 60

idle = {}


def start(language, javascript):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
        "--no-first-run", "--disable-background-networking", f"--lang={language}",
    ):
        options.add_argument(argument)
    preferences = {"intl.accept_languages": language, "credentials_enable_service": False}
    if not javascript:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    atexit.register(driver.quit)
    return driver


def is_stale(error):
    """Whether an element is of a page that was left, or was replaced in its page."""
    return isinstance(error, StaleElementReferenceException) or "does not belong to the document" in str(error.msg)


class Browser:
    def __init__(self, url, *, width=1280, height=900, zone="UTC", language="en", dark=False, javascript=True, print=False):
        self.url = url
        self.kind = (language, javascript)
        self.driver = idle[self.kind].pop() if idle.get(self.kind) else start(*self.kind)
        # What is set for a tab ends with it.
        old = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        self.driver.switch_to.window(old)
        self.driver.close()
        self.driver.switch_to.window(new)
        self.command("Network.clearBrowserCookies")
        self.command("Storage.clearDataForOrigin", origin=url.rstrip("/"), storageTypes="local_storage")
        self.driver.get_log("browser")
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.command("Emulation.setTimezoneOverride", timezoneId=zone)
        if SCREENSHOTS:
            self.command("Emulation.setScrollbarsHidden", hidden=True)
        scheme = "dark" if dark else "light"
        self.command(
            "Emulation.setEmulatedMedia",
            media="print" if print else "",
            features=[
                {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )

    def command(self, name, **values):
        return self.driver.execute_cdp_cmd(name, values)

    def go(self, path=""):
        self.driver.get(self.url + path)

    def sign_in(self, token, path=""):
        """Signs in with a token, and waits for the page that was wanted."""
        self.go(path)
        if not self.one("#token").is_displayed():
            self.one("#with-token summary").click()
        self.one("#token").send_keys(token)
        self.one("#sign-in form:has(#token) button").click()
        self.until(lambda: not self.all("#sign-in") and self.all("header.top form"))
        self.settled()
        # The answer that asked for it is no mistake.
        self.driver.get_log("browser")

    def is_gone(self, element):
        """Whether an element is of a page that was left."""
        try:
            element.is_enabled()
            return False
        except WebDriverException as error:
            if not is_stale(error):
                raise
            return True

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        """Clicks at the first element of a selector, when there is one."""

        def attempt():
            found = self.all(selector)
            if found:
                found[0].click()
            return found

        self.until(attempt)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition):
        """Waits until a condition holds, and gives what it gave. What is replaced meanwhile is looked for again."""

        def attempt(_):
            try:
                return condition()
            except WebDriverException as error:
                if not is_stale(error):
                    raise
                return False

        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(attempt)

    def settled(self):
        """Waits until no list is being loaded."""
        self.until(lambda: not self.all("#results[aria-busy]"))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    @property
    def ids(self):
        # In one step: a list may be replaced while it is read.
        return self.run("return [...document.querySelectorAll('#calls tr[data-id]')].map((row) => Number(row.dataset.id))")

    def search(self, text):
        """Types into the search box and waits for the rows."""
        box = self.one("#q")
        box.clear()
        box.send_keys(text + "\n")
        self.until(lambda: "q=" in self.driver.current_url or not text)
        self.settled()

    def wide(self):
        """How far the page is wider than its window."""
        return self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def errors(self):
        """What the browser complains of, such as breaches of the policy. A stream that is not there yet is none."""
        return [
            line["message"]
            for line in self.driver.get_log("browser")
            if line["level"] == "SEVERE" and "/cdr/stream" not in line["message"] and "favicon" not in line["message"]
        ]

    def faults(self):
        """What axe finds that keeps people from using the page, in WCAG's terms."""
        axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
        self.run(axe)
        return self.driver.execute_async_script(
            """
            const done = arguments[0];
            axe.run(document).then((found) => done(found.violations.map((fault) => [fault.id, fault.impact, fault.nodes[0].html])));
            """
        )

    def picture(self, name):
        if SCREENSHOTS:
            folder = pathlib.Path(SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(folder / f"{name}.png"))

    def quit(self):
        """Gives the browser back."""
        try:
            # A stream of the page ends with it.
            self.driver.get("about:blank")
        except WebDriverException:
            return
        idle.setdefault(self.kind, []).append(self.driver)
