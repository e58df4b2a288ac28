"""Opens the site in a browser and holds it against the program: site.py PROGRAM SITE BROWSER [SHOTS]"""

import json
import os
import subprocess
import sys
import time
from urllib.parse import quote

from browser import Browser

PROGRAM, SITE, BROWSER, *SHOTS = sys.argv[1:]
PAIRS = [("200", "607"), ("301", "607"), ("300", "607"), ("486", "480"), ("607", "607"), ("500", "503"), ("677", "607"),
         ("157", "687"), ("q850:17", "q850:19"), ("warning:304", "warning:305"), ("method:INFO", "method:MESSAGE"),
         ("404", "q850:1"), ("438", "stir:438"), ("timer:B", "option:100rel"),
         ("reason:Q.850", "reason:STIR"), ("release_cause:3", "q850:16")]
TYPED = {  # what is typed, and the address that Enter leads to
    "607": "#/code/607", "not acceptable": "#/code/406", "no answer": "#/q850/19", "busy here": "#/code/486",
    "200 607": "#/compare/200/607", "480 vs 486": "#/compare/480/486", "q850:17 q850:19": "#/compare/q850:17/q850:19",
    "q.850 34": "#/q850/34", "retry-after": "#/header/Retry-After", "100rel": "#/option/100rel", "timer b": "#/timer/B",
    "refer": "#/method/REFER", "unwanted-607": "#/rule/unwanted-607", "warning 304": "#/warning/304",
    "687": "#/code/687", "657": "#/code/657", "4xx": "#/class/4xx", "sip 404": "#/code/404", "ünwantéd": "#/code/607",
}
# The page as data, in the form of `--format json`.
READ = """(() => {
  const texts = (of, what) => [...of.querySelectorAll(what)].map(one => one.textContent);
  const sections = [...document.querySelectorAll("main section")].map(one => {
    const section = { id: one.dataset.id, heading: one.querySelector("h2").textContent };
    const text = texts(one, ":scope > p");
    if (text.length) section.text = text;
    const [names, meanings] = [texts(one, "dt"), texts(one, "dd")];
    const rows = [...names.map((name, index) => [name, meanings[index]]),
      ...[...one.querySelectorAll(".sides > div")].map(side => texts(side, "h3, p")),
      ...[...one.querySelectorAll("tr")].map(row => texts(row, "th, td"))];
    if (rows.length) section.rows = rows;
    return section;
  });
  const title = document.querySelector("main h1").textContent;
  return { title, note: document.querySelector("main .note")?.textContent ?? "", sections, lang: document.documentElement.lang };
})()"""
# Texts that stand out too little from what is behind them (WCAG 2.1, 1.4.3).
PALE = """(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = one => {
    const colour = getComputedStyle(one).backgroundColor;
    return parts(colour)[3] === 0 && one.parentElement ? behind(one.parentElement) : colour;
  };
  return [...document.querySelectorAll("body *")].filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(one => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
      return [one.tagName + " " + one.textContent.slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    }).filter(([, ratio]) => ratio < 4.5);
})()"""

checks = 0


def check(what, got, expected):
    global checks
    checks += 1
    if got != expected:
        sys.exit(f"FAILED: {what}\n  site:     {json.dumps(got, ensure_ascii=False)}\n  expected: {json.dumps(expected, ensure_ascii=False)}")


def printed(*arguments):
    """The pages that the program prints, without what only it says."""
    out = subprocess.run([PROGRAM, *arguments, "--format", "json"], capture_output=True, check=True).stdout
    pages = json.loads(out)
    for page in pages:
        del page["key"]
    return pages


class Site:
    def __init__(self, browser):
        self.browser = browser

    def open(self, address):
        """Loads the site anew."""
        self.browser.ask("Page.navigate", url="about:blank")
        self.browser.ask("Page.navigate", url=f"file://{quote(SITE)}/index.html{address}")
        self.wait("document.querySelector('main h1') && !document.querySelector('header').hidden")

    def go(self, address):
        """Follows a link, and waits for what it shows."""
        self.browser.run(f"""new Promise(done => {{
            const seen = new MutationObserver(() => {{ seen.disconnect(); done(); }});
            seen.observe(document.querySelector("main"), {{ childList: true }});
            if (location.hash === {json.dumps(address)}) done(); else location.hash = {json.dumps(address)};
        }})""")

    def wait(self, condition):
        until = time.monotonic() + 20
        while not self.browser.run(f"Boolean({condition})"):
            if time.monotonic() > until:
                sys.exit(f"FAILED: at {self.hash()} never true: {condition}\n  on the console: {self.browser.errors}")
            time.sleep(0.02)

    def read(self):
        return self.browser.run(READ)

    def hash(self):
        return self.browser.run("location.hash")


def search(site):
    """Whoever types and presses Enter is there."""
    for text, address in TYPED.items():
        site.open("")
        site.browser.key("/", 191, "/")
        check("/ leads to the search", site.browser.run("document.activeElement.id"), "search")
        site.browser.type(text)
        site.wait("document.querySelector('.results a')")
        site.browser.key("Enter", 13, "\r")
        site.wait("!location.hash.startsWith('#/search')")
        check(f"searching {text}", site.hash(), address)
    site.open("#/search/not%20acceptable")
    links = site.browser.run("[...document.querySelectorAll('.results a')].map(a => a.getAttribute('href')).slice(0, 3)")
    check("all three are found", links, ["#/code/406", "#/code/606", "#/code/488"])
    site.browser.run("document.getElementById('search').focus()")
    site.browser.key("ArrowDown", 40)
    site.browser.key("ArrowDown", 40)
    check("arrow keys", site.browser.run("document.activeElement.getAttribute('href')"), links[1])
    site.open("#/code/404")
    site.browser.run("document.getElementById('search').focus()")
    site.browser.type("60")
    site.browser.type("7")
    site.wait("location.hash === '#/search/607' && document.querySelector('.results a')")
    site.browser.run("history.back()")
    site.wait("document.querySelector('main h1').textContent === 'SIP 404 Not Found'")
    check("one step back from a search", site.hash(), "#/code/404")
    site.open("#/search/" + quote("<img src=x onerror=alert(1)> zzz"))
    check("nothing found", site.browser.run("document.querySelectorAll('.results li, main img').length"), 0)


def languages(site, tags):
    """Each language is switched to, kept in the link, and remembered."""
    for tag in tags:
        site.open("#/code/607")
        site.browser.run(f"(() => {{ const s = document.getElementById('language'); s.value = '{tag}'; s.dispatchEvent(new Event('change')); }})()")
        site.wait(f"document.documentElement.lang === '{tag}'")
        check("the language is in the link", site.hash(), f"#/{tag}/code/607")
        page = site.read()
        check(f"607 in {tag}", page, printed("code", "607", "--lang", tag)[0])
        site.open("#/code/404")
        check("the language is remembered", site.read()["lang"], tag)
    site.browser.run("localStorage.clear()")


def pages(site, tags):
    """Every page says what the program prints; in other languages than English every fifth is looked at."""
    for tag in tags:
        every = 1 if tag == "en" else 5
        site.open(f"#/{tag}/code/200")
        kinds = site.browser.run("[...document.querySelectorAll('#kinds a')].map(a => a.getAttribute('href'))")
        for kind in [*kinds, *(f"#/{tag}/{minor}" for minor in ("class", "release_cause", "failure_cause", "preemption"))]:
            site.go(kind)
            links = site.browser.run("[...document.querySelectorAll('main li a')].map(a => a.getAttribute('href'))")
            names = site.browser.run("[...document.querySelectorAll('main li b')].map(b => b.textContent)")
            kind = kind.split("/")[-1]
            check(f"{kind} has pages", len(links) > 2, True)
            if kind == "rule":
                every_rule = 6 * every  # one run of the program for each
                names, links = names[::every_rule], links[::every_rule]
                expected = [printed("rule", name, "--lang", tag)[0] for name in names]
            else:
                names, links = names[::every], links[::every]
                asked = names if kind in ("code", "class") else [f"{kind}:{name}" for name in names]
                expected = printed("code", *asked, "--lang", tag)
            if kind == "class":
                for page in expected:  # the command says what to type next
                    page["sections"] = [section for section in page["sections"] if section["id"] != "more"]
            for link, page in zip(links, expected, strict=True):
                site.go(link)
                check(link, site.read(), page)
        for number in ("657", "157", "299"):
            site.go(f"#/{tag}/code/{number}")
            check(number, site.read(), printed("code", number, "--lang", tag)[0])


def pairs(site, tags):
    for tag in tags:
        site.open(f"#/{tag}/code/200")
        for a, b in PAIRS if tag == "en" else PAIRS[::3]:
            site.go(f"#/{tag}/compare/{a}/{b}")
            check(f"{a} and {b} in {tag}", site.read(), printed("compare", a, b, "--lang", tag)[0])
    site.open("#/code/200")
    site.browser.run("document.getElementById('other').focus()")
    site.browser.type("607")
    site.browser.key("Enter", 13, "\r")
    site.wait("location.hash.startsWith('#/compare')")
    check("compare with", site.hash(), "#/compare/200/607")


def looks(site, tags):
    """Contrast and width, light and dark, on a desk and on a phone."""
    views = {"index": "", "code": "code/607", "compare": "compare/200/607", "search": "search/no%20answer", "cause": "q850/17",
             "rule": "rule/busy", "list": "header", "unregistered": "code/657"}
    for width, height in ((1280, 900), (390, 844)):
        site.browser.size(width, height)
        for tag in tags:
            for name, view in views.items():
                for colours in ("light", "dark"):
                    site.browser.prefers(colours)
                    site.open(f"#/{tag}/{view}")
                    what = f"{name}-{tag}-{colours}-{width}"
                    if SHOTS:
                        site.browser.shot(os.path.join(SHOTS[0], what + ".png"))
                    check(f"contrast of {what}", site.browser.run(PALE), [])
                    check(f"width of {what}", site.browser.run("document.documentElement.scrollWidth") <= width, True)
    site.browser.prefers("light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = site.browser.run(paper)
    site.browser.run("document.getElementById('colours').click()")
    dark = site.browser.run(paper)
    check("the button darkens", dark == light, False)
    site.open("#/code/607")
    check("and the browser remembers", site.browser.run(paper), dark)


def main():
    browser = Browser(BROWSER)
    try:
        site = Site(browser)
        site.open("")
        tags = browser.run("[...document.getElementById('language').options].map(option => option.value)")
        if SHOTS:
            os.makedirs(SHOTS[0], exist_ok=True)
        search(site)
        languages(site, tags)
        pairs(site, tags)
        pages(site, tags)
        looks(site, ["en", "zh"])
        check("errors on the console", browser.errors, [])
        beyond = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
        check("requests beyond the folder", beyond, [])
        print(f"ok: the site in {', '.join(tags)}: {checks} checks, no error on the console, nothing asked of the network")
    finally:
        browser.close()


main()
