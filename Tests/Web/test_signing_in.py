"""Signing in at the search page and out again, in a real browser."""

import unittest

from browser import Browser
from service import TENANT, Service, sql
from wazo_auth import WazoAuth

ANN = "cccccccc-0000-4000-8000-000000000001"
USERS = {
    "root": ("rootpass", {"tenant": TENANT, "user": None, "acl": ["#"]}),
    "ann": ("annspass", {"tenant": TENANT, "user": ANN, "acl": ["call-logd.users.me.#"]}),
    "fax": ("faxpass", {"tenant": TENANT, "user": None, "acl": ["confd.#"]}),
}


def setUpModule():
    global plain, wazo, auth
    plain = Service()
    auth = WazoAuth(USERS)
    wazo = Service(wazo_auth=auth)
    sql(f"UPDATE call_logd_call_log_participant SET user_uuid = '{ANN}' WHERE call_log_id IN (1, 6, 11)")


def tearDownModule():
    plain.stop()
    wazo.stop()
    auth.stop()


class PageTest(unittest.TestCase):
    def browser(self, service, path="", **options):
        browser = Browser(service.url, **options)
        self.addCleanup(browser.quit)
        browser.go(path)
        return browser

    def setUp(self):
        auth.is_away = False


def enter(browser, user, password):
    """Types a name and a password, and sends them."""
    for field, text in (("#user", user), ("#password", password)):
        browser.one(field).clear()
        browser.one(field).send_keys(text)
    press(browser, "#sign-in form:has(#password) button")


def press(browser, selector):
    """Presses a button, and waits for the page that comes."""
    button = browser.one(selector)
    button.click()
    browser.until(lambda: browser.is_gone(button))


def alert(browser):
    return browser.one("[role=alert]").text


class PasswordTests(PageTest):
    def test_a_name_and_a_password_until_signing_out(self):
        browser = self.browser(wazo)
        self.assertFalse(browser.one("#token").is_displayed())
        browser.picture("wazo-sign-in")
        enter(browser, "root", "wrong")
        self.assertIn("name or the password is wrong", alert(browser))
        self.assertEqual(browser.one("#user").get_attribute("value"), "root")
        self.assertEqual(browser.one("#password").get_attribute("value"), "")
        browser.picture("wazo-sign-in-refused")
        enter(browser, "root", "rootpass")
        browser.until(lambda: len(browser.ids) == 50)
        self.assertEqual(browser.run("return document.cookie"), "")
        self.assertEqual(len(auth.tokens), 1)
        press(browser, "header.top form[action$='session/end'] button")
        self.assertEqual(browser.one("h1").text, "You are signed out")
        self.assertEqual(auth.tokens, {})
        browser.picture("signed-out")
        # The browser's own history shows nothing either.
        browser.driver.back()
        browser.until(lambda: browser.all("#sign-in"))
        self.assertFalse(browser.all("#calls"))

    def test_a_user_sees_their_own_calls(self):
        browser = self.browser(wazo)
        enter(browser, "ann", "annspass")
        browser.until(lambda: browser.ids)
        self.assertEqual(browser.ids, [11, 6, 1])
        self.assertFalse(browser.all("#calls .tag"))
        browser.click("tr[data-id='6'] .caller")
        browser.until(lambda: browser.all("#drawer[open] article"))

    def test_a_user_without_access_and_a_token(self):
        browser = self.browser(wazo)
        enter(browser, "fax", "faxpass")
        self.assertIn("no access to call logs", alert(browser))
        browser.one("#with-token summary").click()
        browser.one("#token").send_keys("unknown")
        press(browser, "#with-token button")
        self.assertIn("not known", alert(browser))
        self.assertTrue(browser.one("#token").is_displayed())

    def test_wazo_auth_is_away(self):
        browser = self.browser(wazo)
        auth.is_away = True
        enter(browser, "root", "rootpass")
        self.assertIn("cannot be checked", alert(browser))
        browser.picture("wazo-away-sign-in")
        auth.is_away = False
        enter(browser, "root", "rootpass")
        browser.until(lambda: browser.ids)
        auth.is_away = True
        browser.go("?q=from%3A101&zone=UTC")
        self.assertTrue(browser.all("#away"))
        browser.picture("wazo-away")
        auth.is_away = False
        press(browser, "#away a.button")
        browser.until(lambda: browser.ids)
        self.assertIn("from%3A101", browser.driver.current_url)

    def test_without_javascript(self):
        browser = self.browser(wazo, "?q=from%3A101&zone=UTC", javascript=False)
        enter(browser, "root", "rootpass")
        self.assertTrue(browser.ids)
        self.assertIn("from%3A101", browser.driver.current_url)
        press(browser, "header.top form[action$='session/end'] button")
        self.assertTrue(browser.all("#signed-out"))
        press(browser, "#signed-out a.button")
        self.assertTrue(browser.all("#sign-in"))

    def test_french(self):
        browser = self.browser(wazo, language="fr")
        self.assertEqual(browser.one("label[for=password]").text, "Mot de passe")
        enter(browser, "root", "wrong")
        self.assertIn("incorrect", alert(browser))
        browser.picture("wazo-sign-in-french")


class ReturningTests(PageTest):
    def test_the_page_of_a_call(self):
        browser = self.browser(plain)
        browser.sign_in(plain.token, "calls/203?zone=UTC")
        self.assertTrue(browser.driver.current_url.endswith("calls/203?zone=UTC"))
        self.assertTrue(browser.all("article.call"))

    def test_an_open_call_and_a_filter(self):
        browser = self.browser(plain)
        browser.sign_in(plain.token, "?q=from%3A101&zone=UTC&open=203")
        browser.until(lambda: browser.all("#drawer[open] article"))
        self.assertEqual([chip.text for chip in browser.all(".chip bdi")], ["from:101"])

    def test_an_expired_session_comes_back_to_where_it_was(self):
        browser = self.browser(plain)
        browser.sign_in(plain.token)
        browser.search("from:101")
        # Otherwise the charts of this list notice it first.
        browser.until(lambda: browser.all("#charts-body svg.bars") and not browser.all("[aria-busy=true]"))
        browser.command("Network.clearBrowserCookies")
        browser.run("const box = document.getElementById('q'); box.value = 'is:voicemail'; box.form.requestSubmit()")
        browser.until(lambda: browser.all("#sign-in"))
        browser.one("#token").send_keys(plain.token)
        press(browser, "#sign-in button")
        browser.until(lambda: browser.ids)
        self.assertEqual(browser.one("#q").get_attribute("value"), "is:voicemail")

    def test_a_session_whose_token_is_revoked_ends_at_once(self):
        token = plain.make_token("short", "--all-tenants")
        browser = self.browser(plain)
        browser.sign_in(token, "?q=from%3A101&zone=UTC")
        plain.run("token", "revoke", "short", "--file", f"{plain.folder}/tokens")
        # Whatever the page asks for next notices it, and that may be something else.
        browser.run("document.querySelector('tr[data-id] .caller')?.click()")
        browser.until(lambda: browser.all("#sign-in"))
        self.assertIn("session has ended", alert(browser))
        browser.picture("session-ended")
        browser.one("#token").send_keys(plain.token)
        press(browser, "#sign-in button")
        browser.until(lambda: browser.ids)
        self.assertEqual(browser.one("#q").get_attribute("value"), "from:101")

    def test_the_address_of_the_form_leads_to_the_page(self):
        browser = self.browser(plain)
        browser.one("#token").send_keys("unknown")
        press(browser, "#sign-in button")
        browser.go("session")
        self.assertFalse(browser.all("[role=alert]"))
        self.assertTrue(browser.all("#sign-in"))


class AppearanceTests(PageTest):
    def test_axe_finds_no_fault_on_any_page_of_signing_in(self):
        for width, dark in ((1280, False), (1280, True), (360, False), (360, True)):
            browser = self.browser(wazo, width=width, dark=dark)

            def check(name):
                with self.subTest(name, width=width, dark=dark):
                    self.assertEqual(browser.faults(), [])
                    self.assertLessEqual(browser.wide(), 0)
                    browser.picture(f"{name}-{width}{'-dark' if dark else ''}")

            check("sign-in")
            browser.one("#with-token summary").click()
            check("sign-in-with-token")
            enter(browser, "fax", "faxpass")
            check("sign-in-refused")
            enter(browser, "ann", "annspass")
            browser.until(lambda: browser.ids)
            auth.is_away = True
            browser.go("?q=a")
            check("away")
            auth.is_away = False
            browser.go("calls/2")
            check("no-such-call")
            browser.go("session/nothing")
            check("not-found")
            browser.go()
            press(browser, "header.top form[action$='session/end'] button")
            check("signed-out")


class LimitTests(PageTest):
    def test_too_many_attempts(self):
        limited = Service(wazo_auth=auth, settings="  refused_limit: 2", empty=True)
        self.addCleanup(limited.stop)
        browser = self.browser(limited)
        for _ in range(3):
            enter(browser, "root", "wrong")
        self.assertIn("Too many attempts. Try again in", alert(browser))
        browser.picture("too-many-attempts")
        enter(browser, "root", "rootpass")
        self.assertIn("Too many attempts", alert(browser))


if __name__ == "__main__":
    unittest.main()
