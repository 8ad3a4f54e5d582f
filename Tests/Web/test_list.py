"""The list of the search page: its box, its count, its keys, and how it looks."""

import csv
import io
import unittest

from selenium.webdriver.common.keys import Keys

from browser import Browser
from service import Service, add_call

FORMULA = "=HYPERLINK(\"http://elsewhere\")"


def setUpModule():
    global service
    service = Service()
    add_call(301, "'2026-02-01 09:00Z'", (FORMULA, "+33145678901"), ("@SUM(A1)", "201"), "inbound")
    add_call(302, "'2026-02-02 09:00Z'", ("Zoe Quick", "107"), ("Reception", "201"), tag="two words")


def tearDownModule():
    service.stop()


class ListTest(unittest.TestCase):
    def browser(self, path="", **options):
        browser = Browser(service.url, **options)
        self.addCleanup(browser.quit)
        browser.sign_in(service.token, path)
        return browser

    def focus(self, browser):
        return browser.driver.switch_to.active_element

    def type(self, browser, text):
        browser.one("#q").send_keys(text)

    def options(self, browser):
        return browser.run("return [...document.querySelectorAll('#suggestions:not([hidden]) li')].map((li) => li.dataset.term)")


class CountTests(ListTest):
    def test_the_number_of_calls_and_of_answered_ones_comes_after_the_rows(self):
        browser = self.browser()
        browser.until(lambda: browser.all("#count"))
        # 130 of March without 5 blocked ones, 3 of them special, 2 of February.
        self.assertEqual(browser.one("#count").text, "130 calls")
        # Of the 130, those whose number is no multiple of 3, without blocked ones; and 203.
        answered = len([n for n in range(1, 131) if n % 3 and n % 26]) + 1
        self.assertEqual(browser.one("#answered").text, f"{answered} answered ({round(answered / 1.30)}%)")
        browser.search("from:+33145678901")
        browser.until(lambda: browser.all("#count") and browser.one("#count").text == "26 calls")

    def test_in_french(self):
        browser = self.browser(language="fr")
        browser.until(lambda: browser.all("#answered"))
        self.assertIn("répondus", browser.one("#answered").text)

    def test_without_javascript_it_is_a_link_away(self):
        browser = self.browser("?zone=UTC", javascript=False)
        browser.one("#counts a").click()
        browser.until(lambda: "/count" in browser.driver.current_url)
        self.assertEqual(browser.one("#count").text, "130 calls")
        browser.one(".notice a").click()
        browser.until(lambda: len(browser.ids) == 50)


class BoxTests(ListTest):
    def test_operators_are_suggested_and_taken_by_the_keyboard(self):
        browser = self.browser()
        box = browser.one("#q")
        self.assertEqual(box.get_attribute("aria-expanded"), "false")
        self.type(browser, "i")
        browser.until(lambda: self.options(browser) == ["is:"])
        self.assertEqual(box.get_attribute("aria-expanded"), "true")
        box.send_keys(Keys.ARROW_DOWN)
        self.assertEqual(browser.one("#" + box.get_attribute("aria-activedescendant")).get_attribute("aria-selected"), "true")
        box.send_keys(Keys.ENTER)
        browser.until(lambda: "is:missed" in self.options(browser))
        browser.picture("suggestions")
        self.assertEqual(browser.faults(), [])
        box.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
        browser.until(lambda: "is%3Amissed" in browser.driver.current_url.replace("is:", "is%3A"))
        browser.settled()
        self.assertEqual([chip.text for chip in browser.all(".chip bdi")], ["is:missed"])
        self.assertEqual(self.options(browser), [])
        self.assertEqual(self.focus(browser).get_attribute("id"), "q")

    def test_an_empty_box_offers_all_operators(self):
        browser = self.browser()
        browser.one("#q").send_keys(Keys.ARROW_DOWN)
        browser.until(lambda: "conversation:" in self.options(browser))
        browser.one("#q").send_keys(Keys.ESCAPE)
        self.assertEqual(self.options(browser), [])

    def test_tags_are_suggested_and_stand_in_quotes(self):
        browser = self.browser()
        self.type(browser, "zoe tag:tw")
        browser.until(lambda: self.options(browser) == ['tag:"two words"'])
        browser.click("#suggestions li")
        browser.until(lambda: browser.ids == [302])
        self.assertEqual(browser.one("#q").get_attribute("value").strip(), 'zoe tag:"two words"')

    def test_users_are_suggested_and_found_by_name(self):
        browser = self.browser()
        self.type(browser, "user:zo")
        browser.until(lambda: self.options(browser) == ['user:"Zoe Quick"'])
        browser.one("#q").send_keys(Keys.ARROW_DOWN, Keys.TAB)
        browser.until(lambda: browser.ids == [302])
        browser.search("user:nobodyhasthisname")
        self.assertIn("nobodyhasthisname", browser.one("#problems").text)
        browser.picture("no-user")

    def test_enter_searches_for_what_is_typed_whatever_is_suggested(self):
        browser = self.browser()
        self.type(browser, "is:voicemail")
        browser.one("#q").send_keys(Keys.ENTER)
        browser.until(lambda: browser.ids and all(n % 6 == 0 for n in browser.ids))

    def test_backspace_at_the_beginning_removes_the_last_condition(self):
        browser = self.browser("?q=from%3A101+tag%3A%22two+words%22&zone=UTC")
        box = browser.one("#q")
        box.send_keys(Keys.HOME, Keys.BACKSPACE)
        browser.until(lambda: len(browser.all(".chip")) == 1)
        self.assertEqual(box.get_attribute("value"), "from:101")
        box.send_keys(Keys.HOME, Keys.BACKSPACE)
        browser.until(lambda: not browser.all(".chip"))
        self.assertEqual(len(browser.ids), 50)

    def test_a_chip_goes_by_delete_and_the_focus_stays_near(self):
        browser = self.browser("?q=from%3A101+is%3Amissed&zone=UTC")
        browser.run("document.querySelector('.chip').focus()")
        self.focus(browser).send_keys(Keys.DELETE)
        browser.until(lambda: len(browser.all(".chip")) == 1)
        browser.until(lambda: self.focus(browser).text.startswith("is:missed"))
        self.focus(browser).send_keys(Keys.BACKSPACE)
        browser.until(lambda: self.focus(browser).get_attribute("id") == "q")

    def test_days_as_operators(self):
        browser = self.browser("?zone=UTC")
        browser.search("after:2026-02-01 before:2026-02-02")
        browser.until(lambda: browser.ids == [301])
        browser.search("before:2026-02-02T10:00")
        browser.until(lambda: browser.ids == [302, 301])


class KeyTests(ListTest):
    def test_enter_opens_the_row_and_the_focus_comes_back_to_it(self):
        browser = self.browser()
        browser.one("body").send_keys("jj")
        self.focus(browser).send_keys(Keys.ENTER)
        browser.until(lambda: browser.all("#drawer[open] article"))
        self.focus(browser).send_keys(Keys.ESCAPE)
        browser.until(lambda: not browser.all("#drawer[open]"))
        browser.until(lambda: browser.run("return document.activeElement.closest('tr')?.dataset.id") == "202")

    def test_x_copies_the_number_of_the_other_side(self):
        browser = self.browser()
        browser.command(
            "Browser.grantPermissions", origin=service.url.rstrip("/"), permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
        )
        browser.one("body").send_keys("jj")
        self.focus(browser).send_keys("x")
        # 202 came from outside.
        # What is said shows only for a while, which a busy machine may miss.
        browser.until(lambda: "+966501234567" in browser.run("return document.getElementById('said').textContent"))
        copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], String)")
        self.assertEqual(copied.strip("\u2068\u2069"), "+966501234567")

    def test_more_calls_come_by_scrolling(self):
        browser = self.browser()
        browser.run("scrollTo(0, document.body.scrollHeight)")
        browser.until(lambda: len(browser.ids) >= 100)
        self.assertEqual(len(browser.ids), len(set(browser.ids)))

    def test_the_head_stays_in_view(self):
        browser = self.browser()
        browser.run("scrollTo(0, scrollY + document.getElementById('calls').getBoundingClientRect().top + 300)")
        self.assertAlmostEqual(browser.run("return document.querySelector('#calls thead th').getBoundingClientRect().top"), 0, delta=1)


class DownloadTests(ListTest):
    def rows(self, browser, path):
        text = browser.driver.execute_async_script(
            "const done = arguments[1]; fetch(arguments[0]).then((answer) => answer.text()).then(done)", path
        )
        return list(csv.reader(io.StringIO(text)))

    def test_names_that_would_run_in_a_spreadsheet_get_a_quote_and_nothing_else_differs_from_the_api(self):
        browser = self.browser()
        own = self.rows(browser, "./calls.csv?zone=UTC")
        api = self.rows(browser, "./1.0/cdr?format=csv&recurse=true&limit=0")
        self.assertEqual(len(own), 131)
        self.assertEqual([[cell.removeprefix("'") for cell in row] for row in own], api)
        cells = {cell for row in own for cell in row}
        self.assertIn("'" + FORMULA, cells)
        self.assertIn("'@SUM(A1)", cells)
        self.assertIn("+33145678901", cells)
        self.assertIn(FORMULA, {cell for row in api for cell in row})
        guide = self.rows(browser, "./calls.csv?zone=UTC&columns=guide")
        self.assertEqual(guide[0], ["Call Date", "Caller", "Called", "Period", "user Field"])
        self.assertIn(f"'{FORMULA} (+33145678901)", {row[1] for row in guide})


class LookTests(ListTest):
    def test_print_shows_the_table_alone(self):
        browser = self.browser("?zone=UTC")
        browser.until(lambda: browser.all("#count"))
        browser.command("Emulation.setEmulatedMedia", media="print")
        for selector in (".top", "#filter", ".ranges", ".downloads", ".more"):
            self.assertFalse(browser.one(selector).is_displayed(), selector)
        self.assertTrue(browser.one("#calls thead th").is_displayed())
        self.assertTrue(browser.one("#count").is_displayed())
        self.assertLessEqual(browser.wide(), 0)
        browser.picture("print")

    def test_the_table_uses_a_wide_screen_and_nothing_jumps_when_the_count_comes(self):
        browser = self.browser(width=1920, height=1000)
        self.assertGreater(browser.one("#calls").size["width"], 1500)
        # In one step: charts may come meanwhile.
        before, after = browser.run(
            """
            const top = () => document.getElementById("calls").getBoundingClientRect().top;
            const before = top();
            document.getElementById("counts").replaceChildren();
            return [before, top()];
            """
        )
        self.assertEqual(before, after)

    def test_a_phone_has_suggestions_within_its_width(self):
        browser = self.browser(width=360, height=800)
        self.type(browser, "dir:")
        browser.until(lambda: self.options(browser))
        self.assertLessEqual(browser.wide(), 0)
        browser.picture("phone-suggestions")


if __name__ == "__main__":
    unittest.main()
