"""The timeline of a call in a real browser."""

import unittest

from browser import Browser
from calls import TABLE, purged_call, queue_call, short_call, transferred_call
from service import HOSTILE, Service, sql

SHORT, TRANSFERRED, QUEUE, STRANGE, PURGED = 301, 302, 303, 304, 305


def setUpModule():
    global service
    service = Service()
    sql(TABLE)
    short_call(SHORT)
    transferred_call(TRANSFERRED)
    queue_call(QUEUE)
    short_call(STRANGE, HOSTILE)
    purged_call(PURGED)


def tearDownModule():
    service.stop()


class TimelineTests(unittest.TestCase):
    def call(self, number, **options):
        browser = Browser(service.url, **options)
        self.addCleanup(browser.quit)
        browser.sign_in(service.token)
        browser.go(f"calls/{number}?zone=UTC")
        return browser

    def lanes(self, browser):
        return browser.run(
            """
            return [...document.querySelectorAll('.lane:not(.axis)')].map((lane) =>
              [lane.querySelector('.who').textContent.split(' PJSIP')[0],
               [...lane.querySelectorAll('.segment')].map((part) => part.getAttribute('class').split(' ')[1])]);
            """
        )

    def picture(self, browser, name):
        height = browser.run("return document.documentElement.scrollHeight")
        width = browser.run("return document.documentElement.clientWidth")
        browser.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=min(height, 4000), deviceScaleFactor=1, mobile=width < 500)
        browser.picture(name)

    def test_a_short_call_rings_and_is_talked_in(self):
        browser = self.call(SHORT)
        self.assertEqual(
            self.lanes(browser), [["Ann Lee 101", ["calling", "talking"]], ["David Kim 201", ["ringing", "talking"]]])
        self.assertIn("Ann Lee (101) dials 201.", browser.one(".happened").text)
        self.assertIn("it is internal", browser.one(".why").text)
        self.assertEqual(browser.errors(), [])
        self.assertEqual([fault for fault in browser.faults() if fault[1] in ("serious", "critical")], [])
        self.picture(browser, "timeline-short")

    def test_segments_stand_where_their_time_is(self):
        browser = self.call(SHORT)
        lane, talking = browser.run(
            """
            const box = (element) => { const { left, right } = element.getBoundingClientRect(); return [left, right]; };
            return [box(document.querySelector('.lane:not(.axis) > svg')), box(document.querySelector('.segment.talking rect'))];
            """
        )
        self.assertAlmostEqual(talking[0], lane[0] + (lane[1] - lane[0]) * 6.2 / 48, delta=2)
        self.assertAlmostEqual(talking[1], lane[1], delta=2)

    def test_transfers_and_holds_are_marked(self):
        for dark in (False, True):
            browser = self.call(TRANSFERRED, dark=dark)
            lanes = dict((name, parts) for name, parts in self.lanes(browser))
            self.assertEqual(lanes["+33145678901"], ["calling", "talking", "hold", "talking", "calling", "talking"])
            self.assertEqual(len(browser.all(".mark")), 2)
            self.assertIn("Chloé Dubois (104) transfers +33145678901 to 105", browser.one(".happened").get_attribute("textContent"))
            self.assertIn("XIVO_INCALL", browser.one(".why").text)
            self.assertEqual([fault for fault in browser.faults() if fault[1] in ("serious", "critical")], [])
            self.picture(browser, "timeline-transfer" + ("-dark" if dark else ""))

    def test_a_queue_of_forty_stays_readable(self):
        browser = self.call(QUEUE)
        lanes = self.lanes(browser)
        self.assertEqual([lane[0] for lane in lanes[:-1]], ["Marie Tremblay +15145550199", "Agent 4 304"])
        self.assertIn("more that only rang", lanes[-1][0])
        self.assertIn("waiting", lanes[0][1])
        # Long lists are folded.
        self.assertFalse(browser.one(".happened").is_displayed())
        self.picture(browser, "timeline-queue")

    def test_names_stay_text(self):
        browser = self.call(STRANGE)
        self.assertIn(HOSTILE, browser.one(".lane .name").text)
        self.assertNotEqual(browser.driver.title, "hacked")
        self.assertEqual(browser.all(".timeline img, .timeline script"), [])

    def test_purged_events_are_said_to_be_in_the_archive(self):
        browser = self.call(PURGED)
        self.assertIn("2026-03", browser.one(".timeline .state").text)
        self.assertEqual(browser.all(".lane"), [])
        self.picture(browser, "timeline-purged")

    def test_a_telephone_and_french(self):
        browser = self.call(TRANSFERRED, width=360, height=740, language="fr")
        self.assertEqual(browser.wide(), 0)
        self.assertIn("compose le 5145553000", browser.one(".happened").get_attribute("textContent"))
        labels = browser.run(
            """
            return [...document.querySelectorAll('.axis text')].map((text) => text.getBoundingClientRect())
              .filter((box) => box.width > 0).map((box) => [box.left, box.right]);
            """
        )
        for before, after in zip(labels, labels[1:]):
            self.assertLess(before[1], after[0])
        self.picture(browser, "timeline-phone")

    def test_the_drawer_of_the_list_shows_it_too(self):
        browser = Browser(service.url)
        self.addCleanup(browser.quit)
        browser.sign_in(service.token, f"?open={TRANSFERRED}")
        browser.until(lambda: browser.all("#drawer .lane"))
        self.assertEqual(browser.run("const d = document.getElementById('drawer'); return d.scrollWidth - d.clientWidth"), 0)
        self.assertEqual(browser.errors(), [])
        browser.picture("timeline-drawer")

    def test_without_javascript(self):
        browser = self.call(SHORT, javascript=False)
        self.assertTrue(browser.all(".segment.talking"))

    def test_on_paper(self):
        browser = self.call(TRANSFERRED, print=True)
        self.assertEqual(len(browser.all(".lane")), 6)
        self.picture(browser, "timeline-print")
