"""The charts above the list, in a real browser."""

import re
import unittest

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from browser import Browser
from service import Service, sql

# 97 minutes apart from 2026-03-01 08:00 on, and three on 12 March; blocked ones are left out.
WEEK = "?from=2026-03-02T00:00&until=2026-03-09T00:00&zone=UTC"


def setUpModule():
    global service
    service = Service()


def tearDownModule():
    service.stop()


def calls_of(link):
    """How many calls a bar or a cell says that it has."""
    return int(re.search(r": ([0-9]+)\s(?:calls?|appels?)", link.get_attribute("aria-label"))[1])


class ChartTest(unittest.TestCase):
    def browser(self, path=WEEK, *, open=True, **options):
        browser = Browser(service.url, zone="UTC", **options)
        self.addCleanup(browser.quit)
        # What another test has folded is remembered.
        browser.command("Storage.clearDataForOrigin", origin=service.url.rstrip("/"), storageTypes="local_storage")
        browser.sign_in(service.token, path)
        if open:
            self.drawn(browser)
        return browser

    def drawn(self, browser):
        """Waits until the charts of the filter are there."""
        browser.settled()
        browser.until(lambda: browser.all("#charts-body svg.bars") and not browser.all("#charts-body[aria-busy]"))

    def who(self, browser):
        """Opens the numbers with most calls, which are loaded then."""
        if not browser.one("#charts-who").get_attribute("open"):
            browser.one("#charts-who summary").click()
        browser.until(lambda: browser.all(".leaders"))

    def bars(self, browser):
        return [bar for bar in browser.all("svg.bars a") if calls_of(bar)]

    def fields(self, browser):
        return [browser.one(f"#{name}").get_attribute("value") for name in ("from", "until")]

    def assertQuiet(self, browser):
        self.assertEqual(browser.errors(), [])


class FilterTests(ChartTest):
    def test_sums_are_exact_and_those_of_the_list(self):
        browser = self.browser("?zone=UTC")
        # 133 calls, of which 5 are blocked.
        self.assertEqual(browser.one(".tiles strong").text, "128")
        self.assertEqual(sum(map(calls_of, browser.all("svg.bars a"))), 128)
        browser.picture("charts")
        self.assertQuiet(browser)

    def test_a_bar_leads_to_its_calls_and_back_leads_back(self):
        browser = self.browser()
        bar = self.bars(browser)[2]
        wanted, name = calls_of(bar), bar.get_attribute("aria-label")
        bar.find_element("css selector", "rect").click()
        browser.until(lambda: len(browser.ids) == wanted)
        self.assertEqual(self.fields(browser), ["2026-03-04T00:00", "2026-03-05T00:00"])
        self.assertTrue(name.startswith("Wednesday, 4 March 2026"))
        self.drawn(browser)
        # A day has a bar for each hour.
        browser.until(lambda: len(browser.all("svg.bars a")) == 24)
        browser.picture("charts-day")
        browser.driver.back()
        browser.until(lambda: self.fields(browser)[0] == "2026-03-02T00:00")
        browser.until(lambda: len(browser.all("svg.bars a")) == 7)
        self.assertQuiet(browser)

    def test_a_drag_over_bars_sets_both_dates(self):
        browser = self.browser()
        bars = self.bars(browser)
        wanted = sum(map(calls_of, bars[1:4]))
        first, last = (bars[place].find_element("css selector", ".hit") for place in (1, 3))
        ActionChains(browser.driver).click_and_hold(first).move_to_element(bars[2]).move_to_element(last).perform()
        self.assertEqual(len(browser.all("svg.bars a.chosen")), 3)
        browser.picture("charts-drag")
        ActionChains(browser.driver).release().perform()
        browser.until(lambda: self.fields(browser) == ["2026-03-03T00:00", "2026-03-06T00:00"])
        browser.until(lambda: len(browser.ids) == wanted)

    def test_a_cell_of_a_week_leads_to_its_hour(self):
        browser = self.browser()
        cell = [cell for cell in browser.all("svg.map a") if calls_of(cell)][5]
        wanted = calls_of(cell)
        cell.find_element("css selector", "rect").click()
        browser.until(lambda: len(browser.ids) == wanted)
        # Of a longer time, no dates have the calls of a cell and no others.
        browser.go("?from=2026-03-02T00:00&until=2026-03-20T00:00&zone=UTC")
        self.drawn(browser)
        self.assertEqual(browser.all("svg.map a"), [])
        self.assertEqual(len(browser.all("svg.map title")), 168)

    def test_a_caller_and_a_status_become_conditions(self):
        browser = self.browser()
        self.assertFalse(browser.all(".leaders"))
        self.who(browser)
        rows = browser.all(".leaders")[0].find_elements("css selector", "tbody tr")
        wanted = int(rows[0].find_element("css selector", "td:nth-of-type(2)").text)
        rows[0].find_element("css selector", "a").click()
        browser.until(lambda: len(browser.ids) == wanted)
        self.assertTrue(browser.one("#q").get_attribute("value").startswith("from:"))
        self.drawn(browser)
        # They stay open, and are those of the new filter.
        browser.until(lambda: browser.all(".leaders"))
        self.assertEqual(len(browser.all(".leaders")[0].find_elements("css selector", "tbody tr")), 1)
        answered = browser.one(".tiles .answered strong").text
        browser.one(".tiles .answered a").click()
        browser.until(lambda: len(browser.ids) == int(answered))
        self.assertEqual(browser.one("#status").get_attribute("value"), "answered")

    def test_other_lengths_of_bars(self):
        browser = self.browser()
        self.assertEqual(browser.one(".by[aria-current]").text, "day")
        [link for link in browser.all(".by") if link.text == "hour"][0].click()
        browser.until(lambda: len(browser.all("svg.bars a")) == 168)
        self.assertEqual(self.fields(browser)[0], "2026-03-02T00:00")
        browser.picture("charts-hours")

    def test_the_tables_have_the_same_numbers(self):
        browser = self.browser()
        bars = list(map(calls_of, browser.all("svg.bars a")))
        times, week = browser.all(".charts figure details")
        times.find_element("css selector", "summary").click()
        cells = [cell.text for cell in times.find_elements("css selector", "tbody td:nth-of-type(1)")]
        self.assertEqual(list(map(int, cells)), bars)
        week.find_element("css selector", "summary").click()
        cells = [int(cell.text) for cell in week.find_elements("css selector", "tbody td")]
        self.assertEqual((len(cells), sum(cells)), (168, sum(bars)))
        browser.picture("charts-tables")
        self.assertEqual(browser.faults(), [])


class KeyTests(ChartTest):
    def test_arrows_walk_over_bars_and_enter_chooses(self):
        browser = self.browser()
        # One stop for the whole chart.
        self.assertEqual(len(browser.all("svg.bars a[tabindex='0']")), 1)
        browser.run("document.querySelector('svg.bars a[tabindex=\"0\"]').focus()")
        active = lambda: browser.driver.switch_to.active_element
        self.assertIn("8 March", active().get_attribute("aria-label"))
        ActionChains(browser.driver).send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT).perform()
        self.assertIn("6 March", active().get_attribute("aria-label"))
        wanted = calls_of(active())
        browser.picture("charts-focus")
        ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
        browser.until(lambda: self.fields(browser)[0] == "2026-03-06T00:00")
        browser.until(lambda: len(browser.ids) == wanted)

    def test_shift_and_arrows_choose_several(self):
        browser = self.browser()
        browser.run("document.querySelector('svg.bars a[tabindex=\"0\"]').focus()")
        ActionChains(browser.driver).send_keys(Keys.HOME).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
        self.assertEqual(len(browser.all("svg.bars a.chosen")), 2)
        ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
        browser.until(lambda: self.fields(browser) == ["2026-03-02T00:00", "2026-03-04T00:00"])


class PlaceTests(ChartTest):
    def test_folded_on_a_phone_and_remembered(self):
        browser = self.browser(width=360, height=800, open=False)
        browser.until(lambda: browser.all("#charts button"))
        self.assertFalse(browser.one("#charts-body").is_displayed())
        self.assertFalse(browser.all("svg.bars"))
        browser.one("#charts button").click()
        self.drawn(browser)
        browser.driver.refresh()
        self.drawn(browser)
        browser.one("#charts button").click()
        browser.driver.refresh()
        browser.until(lambda: browser.all("#charts button"))
        self.assertEqual(browser.one("#charts button").get_attribute("aria-expanded"), "false")

    def test_without_javascript_a_link_leads_to_them(self):
        browser = self.browser(open=False, javascript=False)
        browser.one("#charts a").click()
        browser.until(lambda: browser.all("svg.bars"))
        self.assertEqual(len([table for table in browser.all(".leaders") if table.is_displayed()]), 2)
        browser.picture("charts-without-javascript")
        bar = self.bars(browser)[0]
        wanted = calls_of(bar)
        bar.find_element("css selector", "rect").click()
        browser.until(lambda: len(browser.ids) == wanted)

    def test_a_list_that_is_loaded_again_keeps_them(self):
        browser = self.browser()
        browser.run("document.querySelector('svg.bars').dataset.kept = 'yes'; document.getElementById('filter').requestSubmit()")
        browser.settled()
        self.drawn(browser)
        self.assertEqual(browser.one("svg.bars").get_attribute("data-kept"), "yes")

    def test_a_failure_is_said_and_can_be_tried_again(self):
        browser = self.browser(open=False)
        self.drawn(browser)
        sql("ALTER TABLE call_logd_call_log RENAME TO hidden;")
        self.addCleanup(sql, "ALTER TABLE IF EXISTS hidden RENAME TO call_logd_call_log;")
        [link for link in browser.all(".by") if link.text == "hour"][0].click()
        browser.until(lambda: browser.all("#charts-body .nothing button"))
        browser.picture("charts-failure")
        sql("ALTER TABLE hidden RENAME TO call_logd_call_log;")
        browser.one("#charts-body .nothing button").click()
        self.drawn(browser)


class AppearanceTests(ChartTest):
    def test_no_calls(self):
        browser = self.browser("?q=nobodyhasthisname&zone=UTC", open=False)
        browser.until(lambda: browser.all("#charts-body .nothing"))
        browser.until(lambda: not browser.all("#charts-body[aria-busy]"))
        browser.picture("charts-empty")
        self.assertQuiet(browser)

    def test_narrow_and_wide_and_dark_and_french(self):
        for name, options in {
            "light": {}, "dark": {"dark": True}, "wide": {"width": 1920}, "tablet": {"width": 820}, "french": {"language": "fr"},
            "phone": {"width": 360, "height": 1700}, "phone-dark": {"width": 360, "height": 1700, "dark": True},
        }.items():
            with self.subTest(name):
                browser = self.browser(open=False, **{"height": 1100, **options})
                browser.until(lambda: browser.all("#charts button"))
                browser.picture("charts-" + name + "-first")
                if not browser.one("#charts-body").is_displayed():
                    browser.one("#charts button").click()
                self.drawn(browser)
                self.assertLessEqual(browser.wide(), 0)
                self.who(browser)
                browser.picture("charts-" + name)
                self.assertEqual(browser.faults(), [])
                self.assertQuiet(browser)
                if name == "french":
                    self.assertIn("Principaux appelants", browser.one("#charts-top").text)


if __name__ == "__main__":
    unittest.main()
