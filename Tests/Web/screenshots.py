"""Takes pictures of the search page's states: on the demo's calls, which the real programs make.

    make screenshots [SCREENSHOTS=folder]

What a page does not have is left out, and named at the end.
"""

import datetime
import os
import pathlib
import re
import signal
import subprocess
import sys

import browser as browsers
from browser import Browser
from selenium.common.exceptions import WebDriverException

PROGRAMS = pathlib.Path(os.environ["PROGRAMS"])
YESTERDAY = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
# Hours in which hardly anybody else calls.
NIGHT = f"?from={YESTERDAY}T02:30&until={YESTERDAY}T03:30&zone=UTC"
LONG = "Dr. Maximiliane Freifrau von und zu Hohenstein-Wartenberg, Zentrale Auftragsannahme (Außenstelle Nord)"

# Pictures of the list, with the browser's options.
LISTS = {
    "list": {}, "list-dark": {"dark": True}, "list-wide": {"width": 1920, "height": 1080},
    "list-tablet": {"width": 820, "height": 1100}, "list-phone": {"width": 360, "height": 780},
    "list-phone-dark": {"width": 360, "height": 780, "dark": True}, "list-french": {"language": "fr"},
    "list-print": {"print": True}, "list-without-javascript": {"javascript": False},
}


class Demo:
    """demo-call-logs with its service, until it is stopped."""

    def __init__(self):
        self.process = subprocess.Popen(
            [PROGRAMS / "demo-call-logs", "--serve"], stdout=subprocess.PIPE, text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        )
        text = ""
        for line in self.process.stdout:
            text += line
            if re.fullmatch(r"\s*http://[^ ]+/\n", line):
                break
        self.url, self.token, self.database = (
            self.found(text, pattern)
            for pattern in (r"\s(http://\S+/)\n$", r"with this token:\s+(\S+)", r"WAZO_CALL_LOGS_DB_URI='([^']+)'")
        )

    @staticmethod
    def found(text, pattern):
        found = re.search(pattern, text)
        if not found:
            raise RuntimeError(f"the demo does not say {pattern}:\n{text}")
        return found[1]

    def sql(self, text):
        subprocess.run(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", self.database], input=text, text=True, check=True,
            stdout=subprocess.DEVNULL,
        )

    def add_names(self):
        """Calls of people with long names, names from right to left, and names that look like tags."""
        names = [
            (LONG, "+4940123456789012", LONG[::-1], "201"), ("مكتب الاستقبال الرئيسي", "+966501234567", "שירות לקוחות", "202"),
            ("<b>Ann</b> & \"Bob\"", "101", "Αθηνά Παπαδοπούλου-Κωνσταντίνου", "203"), ("", "anonymous", "", "204"),
        ]
        for number, (caller, from_number, callee, to_number) in enumerate(names):
            values = ", ".join("'" + text.replace("'", "''") + "'" for text in (caller, from_number, callee, to_number))
            self.sql(
                f"""
                INSERT INTO call_logd_call_log (date, date_answer, date_end, tenant_uuid, source_name, source_exten,
                  destination_name, destination_exten, direction, conversation_id)
                SELECT t, t + interval '4 s', t + interval '{97 * (number + 1)} s', tenant_uuid, {values},
                  (ARRAY['inbound', 'internal', 'outbound'])[{number % 3 + 1}], '17.{900 + number}'
                FROM (SELECT timestamptz '{YESTERDAY} 03:00Z' + interval '{number} min' AS t) a,
                  (SELECT tenant_uuid FROM call_logd_call_log LIMIT 1) b;
                """
            )

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


class Pictures:
    def __init__(self, demo):
        self.demo = demo
        self.missing = []

    def browser(self, path="", signed_in=True, **options):
        browser = Browser(self.demo.url, **options)
        if signed_in:
            browser.sign_in(self.demo.token, path)
        else:
            browser.go(path)
        return browser

    def take(self, name, body, path="", signed_in=True, **options):
        """Opens a page, does something with it, and takes its picture."""
        browser = None
        try:
            browser = self.browser(path, signed_in, **options)
            if body is None or body(browser):
                return browser.picture(name)
            self.missing.append(name)
        except WebDriverException as error:
            self.missing.append(f"{name} ({type(error).__name__})")
        finally:
            if browser:
                browser.quit()

    def all(self):
        self.take("sign-in", None, signed_in=False)
        self.take("sign-in-dark", None, signed_in=False, dark=True)
        self.take("sign-in-phone", None, signed_in=False, width=360, height=780)
        self.take("sign-in-refused", self.refused, signed_in=False)
        for name, options in LISTS.items():
            self.take(name, None, **options)
        for name, options in {"": {}, "-dark": {"dark": True}, "-phone": {"width": 360, "height": 780}}.items():
            self.take(f"call{name}", self.call, path="?q=has%3Arecording", **options)
            self.take(f"empty{name}", None, path="?q=nobodyhasthisname", **options)
            self.take(f"problem{name}", None, path="?q=is%3Ahappy+tag%3Asales", **options)
            self.take(f"names{name}", None, path=NIGHT, **options)
            self.take(f"charts{name}", self.charts, **options)
            self.take(f"charts-page{name}", self.charts_page, path="charts", **options)
        self.take("filtered", None, path="?q=is%3Amissed+dir%3Ain")
        self.take("help", self.help)
        self.take("no-such-call", None, path="calls/2147483647")
        self.take("live", self.live)

    @staticmethod
    def refused(browser):
        browser.one("#token").send_keys("unknown")
        browser.one("#sign-in form:has(#token) button").click()
        browser.until(lambda: browser.all("[role=alert]"))
        return True

    @staticmethod
    def call(browser):
        if not browser.ids:
            return False
        browser.click("#calls tr[data-id] .caller")
        browser.until(lambda: browser.all("#drawer[open] article"))
        return True

    @staticmethod
    def charts(browser):
        """The charts with the list below; on telephones they are folded at first."""
        if not browser.all("#charts"):
            return False
        for button in browser.all("#charts [aria-expanded=false]"):
            button.click()
        browser.until(lambda: browser.all("#charts svg"))
        browser.run("document.getElementById('charts').scrollIntoView()")
        return True

    @staticmethod
    def charts_page(browser):
        return bool(browser.all("main svg"))

    @staticmethod
    def help(browser):
        browser.one("#help-button").click()
        return bool(browser.all("#help[open]"))

    @staticmethod
    def live(browser):
        """The list when a new call has come."""
        first = browser.ids[:1]
        browser.until(lambda: browser.ids[:1] != first or browser.one("#new-calls").is_displayed())
        return True


def main():
    browsers.SCREENSHOTS, browsers.PATIENCE = sys.argv[1], 20
    demo = Demo()
    try:
        demo.add_names()
        pictures = Pictures(demo)
        pictures.all()
    finally:
        demo.stop()
    print(f"The pictures are in {sys.argv[1]}")
    if pictures.missing:
        print("There are none of " + ", ".join(pictures.missing))


if __name__ == "__main__":
    main()
