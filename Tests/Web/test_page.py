"""The search page in a real browser."""

import unittest

from selenium.webdriver.common.keys import Keys

from browser import Browser
from service import HOSTILE, Service

NEWEST = [203, 202, 201, 129, 128]


def setUpModule():
    global service
    service = Service()


def tearDownModule():
    service.stop()


class PageTest(unittest.TestCase):
    def browser(self, path="", signed_in=True, **options):
        browser = Browser(service.url, **options)
        self.addCleanup(browser.quit)
        if signed_in:
            browser.sign_in(service.token, path)
        else:
            browser.go(path)
        return browser

    def assertQuiet(self, browser):
        self.assertEqual(browser.errors(), [])


class SigningInTests(PageTest):
    def test_a_token_once_and_then_a_cookie_until_signing_out(self):
        browser = self.browser(signed_in=False)
        browser.picture("sign-in")
        browser.one("#token").send_keys("wrong\n")
        browser.until(lambda: browser.all("[role=alert]"))
        browser.picture("sign-in-refused")
        browser.one("#token").send_keys(service.token + "\n")
        browser.until(lambda: browser.all("#calls"))
        browser.go()
        self.assertEqual(browser.ids[:5], NEWEST)
        self.assertNotIn(service.token, browser.driver.page_source)
        self.assertEqual(browser.run("return document.cookie"), "")
        browser.one(".tools form button").click()
        browser.until(lambda: browser.all("#signed-out"))
        browser.go()
        self.assertTrue(browser.all("#token"))

    def test_a_link_leads_to_its_list_after_signing_in(self):
        browser = self.browser("?q=from%3A101&zone=UTC")
        self.assertEqual([chip.text for chip in browser.all(".chip bdi")], ["from:101"])


class ListTests(PageTest):
    def test_dates(self):
        browser = self.browser("?from=2026-03-12T00:00&zone=UTC")
        self.assertEqual(browser.ids, [203, 202, 201])
        self.assertIn("Thursday, 12 March 2026", browser.one(".day").text)
        browser.go("?from=2026-03-02T00:00&until=2026-03-03T00:00&zone=UTC")
        browser.settled()
        # 97 minutes apart from 2026-03-01 08:00 on; blocked ones are left out.
        self.assertEqual(browser.ids, [n for n in range(24, 9, -1) if n % 26])
        browser.go("?until=2026-03-01T10:00&zone=UTC")
        browser.settled()
        self.assertEqual(browser.ids, [1])
        self.assertQuiet(browser)

    def test_times_are_those_of_the_browser(self):
        browser = self.browser(zone="America/New_York")
        browser.until(lambda: "New_York" in browser.one("#zone").text)
        self.assertEqual(browser.one("tr[data-id='203'] time").text, "07:00:00")
        self.assertIn("zone=America", browser.driver.current_url)

    def test_operators(self):
        browser = self.browser()
        for text, fits in {
            "from:101": lambda n: n == 203 or n <= 130 and n % 5 and n % 9 == 1,
            "to:*04": lambda n: n == 202 or n <= 130 and n % 7 == 4,
            "from:+33*": lambda n: n <= 130 and n % 5 == 0,
            "is:voicemail": lambda n: n <= 130 and n % 6 == 0,
            "dir:out is:missed": lambda n: False,
            "tag:vip": lambda n: n <= 130 and n % 5 == 1 and n % 2,
            'has:recording "ann lee"': lambda n: n == 203,
            "conversation:17.7": lambda n: n == 7,
        }.items():
            with self.subTest(text):
                browser.search(text)
                wanted = [n for n in (203, 202, 201, *range(130, 0, -1)) if fits(n) and (n % 26 or n > 200)]
                self.assertEqual(browser.ids, wanted[:50])
        browser.search("is:blocked")
        self.assertEqual(browser.ids, [130, 104, 78, 52, 26])
        browser.picture("list-operators")
        browser.search("is:happy tag:sales")
        self.assertIn("is:happy", browser.one("#problems").text)
        self.assertEqual(browser.ids, [])
        browser.picture("problem")

    def test_chips_take_their_condition_away(self):
        browser = self.browser("?q=from%3A101+tag%3Asales+lee&zone=UTC")
        self.assertEqual([chip.text for chip in browser.all(".chip bdi")], ["from:101", "tag:sales", "lee"])
        browser.all(".chip")[0].click()
        browser.until(lambda: len(browser.all(".chip")) == 2)
        self.assertEqual(browser.one("#q").get_attribute("value"), "tag:sales lee")

    def test_load_more_adds_the_rest_once(self):
        browser = self.browser()
        browser.run("window.kept = true")
        for count in (100, 128):
            browser.run("arguments[0].click()", browser.one("#next"))
            browser.until(lambda: len(browser.ids) == count)
        self.assertEqual(browser.ids, NEWEST[:3] + [n for n in range(130, 0, -1) if n % 26])
        days = [day.text for day in browser.all(".day")]
        self.assertEqual(len(days), len(set(days)))
        self.assertFalse(browser.all("#next"))
        self.assertTrue(browser.run("return window.kept"))
        self.assertIn("128", browser.one("#count").text)

    def test_back_forward_and_reload_give_the_same_list(self):
        browser = self.browser()
        browser.search("from:101")
        first = browser.ids
        browser.search("is:voicemail")
        second = browser.ids
        browser.driver.back()
        browser.until(lambda: browser.ids == first)
        self.assertEqual(browser.one("#q").get_attribute("value"), "from:101")
        browser.driver.forward()
        browser.until(lambda: browser.ids == second)
        browser.driver.refresh()
        self.assertEqual(browser.ids, second)
        self.assertQuiet(browser)

    def test_keys(self):
        browser = self.browser()
        body = browser.one("body")
        body.send_keys("jjk")
        self.assertEqual(browser.one("tr.current").get_attribute("data-id"), "203")
        browser.driver.switch_to.active_element.send_keys("j")
        browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
        browser.until(lambda: browser.all("#drawer[open] article"))
        self.assertIn("open=202", browser.driver.current_url)
        browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        browser.until(lambda: not browser.all("#drawer[open]"))
        browser.until(lambda: "open=" not in browser.driver.current_url)
        body = browser.one("body")
        body.send_keys("/")
        self.assertEqual(browser.driver.switch_to.active_element.get_attribute("id"), "q")
        browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        body.send_keys("?")
        self.assertTrue(browser.all("#help[open]"))
        browser.picture("help")

    def test_live_is_offered_where_the_service_has_a_stream(self):
        browser = self.browser()
        try:
            browser.until(lambda: browser.one("#live").is_displayed())
        except Exception:
            self.skipTest("needs the stream of calls")


class DetailTests(PageTest):
    def test_a_call_opens_beside_the_list_and_its_recording_plays(self):
        browser = self.browser()
        browser.one("tr[data-id='203'] .caller").click()
        browser.until(lambda: browser.all("#drawer[open] audio"))
        browser.picture("detail")
        browser.run("document.querySelector('audio').muted = true; document.querySelector('audio').play()")
        browser.until(lambda: browser.run("return document.querySelector('audio').currentTime") > 0.2)
        self.assertAlmostEqual(browser.run("return document.querySelector('audio').duration"), 2, places=1)
        browser.driver.refresh()
        browser.until(lambda: browser.all("#drawer[open] article"))
        self.assertQuiet(browser)


class SafetyTests(PageTest):
    def test_hostile_names_stay_text(self):
        browser = self.browser()
        self.assertEqual(browser.one("tr[data-id='201'] .caller .name").text, HOSTILE)
        browser.one("tr[data-id='201'] .caller").click()
        browser.until(lambda: browser.all("#drawer[open] article"))
        self.assertIn(HOSTILE, browser.one("#drawer h1").text)
        self.assertFalse(browser.all("#calls img, #drawer img, #calls script, #drawer script"))
        self.assertNotEqual(browser.driver.title, "hacked")
        self.assertQuiet(browser)


class WithoutJavaScriptTests(PageTest):
    def test_list_next_page_and_call_work(self):
        browser = self.browser(javascript=False)
        self.assertFalse(browser.one("#help-button").is_displayed())
        first = browser.ids
        self.assertEqual(len(first), 50)
        browser.one("#next").click()
        browser.until(lambda: "after=" in browser.driver.current_url)
        self.assertEqual(browser.ids[0], [n for n in range(first[-1] - 1, 0, -1) if n % 26][0])
        browser.one("#q").send_keys("has:recording\n")
        browser.until(lambda: "has" in browser.driver.current_url and browser.ids == [203])
        browser.one("#calls td.time a").click()
        browser.until(lambda: browser.all("article.call audio"))
        browser.picture("call-without-javascript")


class AppearanceTests(PageTest):
    def test_languages(self):
        browser = self.browser(language="fr")
        self.assertEqual(browser.one("html").get_attribute("lang"), "fr")
        self.assertIn("jeudi 12 mars 2026", browser.one(".day").text)
        browser.picture("list-french")

    def test_narrow_and_wide_and_dark(self):
        for name, width, height, dark in (
            ("phone", 360, 800, False), ("phone-dark", 360, 800, True), ("tablet", 820, 1000, False), ("list", 1280, 900, False),
            ("dark", 1280, 900, True), ("wide", 1920, 1000, False),
        ):
            with self.subTest(name):
                browser = self.browser(width=width, height=height, dark=dark)
                self.assertLessEqual(browser.wide(), 0)
                browser.picture(name)
                browser.one("tr[data-id='203'] .caller").click()
                browser.until(lambda: browser.all("#drawer[open] audio"))
                self.assertLessEqual(browser.wide(), 0)
                browser.picture(name + "-detail")

    def test_the_page_with_its_files_is_small(self):
        browser = self.browser()
        # Resources of the cache have no size of their own: each is fetched again.
        sizes = browser.driver.execute_async_script(
            """
            const done = arguments[0];
            const size = async (path) => (await (await fetch(path, { cache: "reload" })).arrayBuffer()).byteLength;
            const files = [...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.href);
            files.push(...performance.getEntriesByType("resource").map((one) => one.name).filter((name) => name.endsWith(".js")));
            Promise.all([location.href, ...new Set(files)].map(size)).then(done);
            """
        )
        print("bytes of HTML, CSS and JavaScript:", sizes)
        self.assertGreater(min(sizes), 1000)
        self.assertLess(sum(sizes), 100_000)

    def test_axe_finds_no_fault(self):
        for width, dark in ((1280, False), (1280, True), (360, False), (360, True)):
            browser = self.browser(signed_in=False, width=width, dark=dark)
            with self.subTest("sign in", width=width, dark=dark):
                self.assertEqual(browser.faults(), [])
            browser.sign_in(service.token)
            for path in ("", "?q=is:x+tag:a", "?q=nobodyhasthisname", "calls/203", "calls/999", "charts", "nowhere"):
                with self.subTest(path, width=width, dark=dark):
                    browser.go(path)
                    browser.settled()
                    self.assertEqual(browser.faults(), [])
            browser.go()
            browser.settled()
            browser.one("tr[data-id='203'] .caller").click()
            browser.until(lambda: browser.all("#drawer[open] audio"))
            with self.subTest("detail", width=width, dark=dark):
                self.assertEqual(browser.faults(), [])

    def test_nothing_found(self):
        browser = self.browser("?q=nobodyhasthisname&zone=UTC")
        self.assertTrue(browser.all(".empty"))
        browser.picture("empty")


if __name__ == "__main__":
    unittest.main()
