# SPDX-License-Identifier: LGPL-2.1-or-later
"""memnotify report: a page whose figures are those of the recording, and what a browser makes of it."""

import json
import re
from html.parser import HTMLParser

import pytest

from browser import luminance
from command import environment, memnotify, says, shows
from recording import Recording

AVAILABLE_MIB = [200, 190, 180, 150, 120, 90, 60, 40, 15, 9, 6, 12, 60, 130, 140, 8, 7, 150, 170, 180]
LOWEST = 10
LIMITS = "available<10M"
HOSTILE = "<img/src=x/onerror=alert(1)>&\"'</script><script>alert(2)</script>"


def put_stalls(recording, some_us, full_us):
    averages = "avg10=0.00 avg60=0.00 avg300=0.00"
    recording.put("pressure/memory", f"some {averages} total={some_us}\nfull {averages} total={full_us}\n")


def put_oom_kills(recording, number):
    recording.machine.rewrite("vmstat", recording.machine.with_number("vmstat", "oom_kill", number))


@pytest.fixture
def shortage(tmp_path):
    """Twenty seconds, in one of which tasks wait for half of the time, and two processes are killed."""
    recording = Recording(tmp_path, machine="debian-6.1-zram")
    some = 1000
    for second, mib in enumerate(AVAILABLE_MIB):
        some += 500000 if second == 9 else 0
        put_stalls(recording, some, some // 2)
        put_oom_kills(recording, 2 if second > 10 else 0)
        recording.set_available(mib)
        recording.put("processes", f"77 {(second + 1) << 20} 4096 leaker\n78 {1 << 20} 0 steady\n"
                      + (f"79 {second << 20} 0 {HOSTILE}\n" if second > 5 else ""))
        recording.take(second)
    return recording.write()


@pytest.fixture
def page_of(tmp_path):
    def make(recording, *limits, **env):
        path = tmp_path / "page.html"
        assert shows("report", "-o", path, recording, *limits, env=environment(TZ="UTC0", **env)) == ""
        return path

    return make


class Page(HTMLParser):
    """The tables, the data and the words of a page."""

    def __init__(self, path):
        super().__init__()
        self.tables, self.data, self.words, self.tags, self.in_data, self.row = {}, "", "", [], False, None
        self.raw = path.read_text(encoding="utf-8")
        self.feed(self.raw)
        self.data = json.loads(self.data)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "table":
            self.rows = self.tables[attrs["id"]] = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.row = self.rows[-1]
        self.in_data = attrs.get("id") == "data"

    def handle_endtag(self, tag):
        self.in_data = False
        if tag in ("td", "th"):
            self.row = None

    def handle_data(self, data):
        if self.in_data:
            self.data += data
        elif self.row:
            self.row[-1] += data
        self.words += data

    def values(self, name, of="machine"):
        return self.data["series"][of]["values"][name]


def pages(mib):
    return mib * 256


# --- what it says ---


def test_figures_are_those_of_the_recording(shortage, page_of):
    page = Page(page_of(shortage, LIMITS))
    assert page.data["series"]["machine"]["ms"] == [second * 1000 for second in range(len(AVAILABLE_MIB))]
    assert page.values("available") == [pages(mib) for mib in AVAILABLE_MIB]
    assert set(page.values("limit available")) == {pages(10)}
    assert page.values("stall some")[8:11] == [0, 5000, 0] and page.values("stall full")[9] == 2500
    assert page.values("process 0", "processes") == [(second + 1 << 20) + 4096 for second in range(20)]
    assert page.values("process 1", "processes")[:7] == [None] * 6 + [6 << 20]
    words = " ".join(page.words.split())
    assert "lowest at 2023-11-14 22:13:30: 6.00M, 2.8 % of 217M" in words
    assert "limits were reached 2 times and left 2;" in words
    assert "up to 50 % of the time (2023-11-14 22:13:29); the kernel killed 2 processes" in words


def test_events_are_those_of_replay(shortage, page_of):
    lines = [line.split() for line in shows("replay", shortage, LIMITS).splitlines()]
    rows = Page(page_of(shortage, LIMITS)).tables["machine-events"][1:]
    crossings = [row for row in rows if "oom_kill" not in row[2]]
    assert [(row[0], row[2]) for row in crossings] == [(line[0], f"{line[2]} {line[3]}") for line in lines]
    assert [row[3] for row in crossings] == ["9.00M", "60.0M", "8.00M", "150M"]
    assert [row[1] for row in crossings][0] == "2023-11-14 22:13:29"
    assert [row[::3] for row in rows if "oom_kill" in row[2]] == [["11.000000", "2"]]


def test_crossings_are_marked_where_they_were(shortage, page_of):
    page = Page(page_of(shortage, LIMITS))
    marks = {style: [float(x) for x in re.findall(r"M([0-9.]+) ", attrs["d"])] for tag, attrs in page.tags
             for style in ("reached", "left") if attrs.get("class") == f"mark {style}" and attrs["d"] != "M11 6h0"}
    assert marks == {"reached": [pytest.approx(1000 * second / 19, abs=0.01) for second in (9, 15)],
                     "left": [pytest.approx(1000 * second / 19, abs=0.01) for second in (12, 17)]}


def test_parts_of_memory_are_all_of_it(shortage, page_of):
    page = Page(page_of(shortage))
    parts = zip(*(page.values(name) for name in ("unused", "cache", "shared", "anonymous", "other")))
    whole = [total - swap for total, swap in zip(page.values("total"), page.values("swap_total"))]
    assert [sum(row) for row in parts] == whole


def test_meters_are_told_from_first_to_last(shortage, page_of):
    rows = {row[0]: row[1:5] for row in Page(page_of(shortage)).tables["machine-meters"][1:]}
    assert rows["available"] == ["200M", "6.00M", "200M", "180M"]
    assert {"used", "total", "free", "anon", "file", "swap_used"} <= set(rows)


@pytest.mark.parametrize("limits, shown", [([], 0.1), (["free<5%", "anon>=1M"], None)])
def test_limits(shortage, page_of, limits, shown):
    page = Page(page_of(shortage, *limits))
    names = {name for name in page.data["series"]["machine"]["values"] if name.startswith("limit ")}
    assert names == ({"limit free", "limit anon"} if limits else {"limit available"})
    if shown:
        assert page.values("limit available")[0] == pytest.approx(page.values("total")[0] * shown, abs=1)


def test_limits_that_were_recorded(tmp_path, page_of):
    recording = Recording(tmp_path)
    recording.put("limits", "free<20M\n")
    recording.take(0)
    assert "limit free" in Page(page_of(recording.write())).data["series"]["machine"]["values"]


def test_growers(shortage, page_of):
    page = Page(page_of(shortage))
    assert [row[:5] for row in page.tables["growers"][1:]] == [
        ["77", "leaker", "1.00M", "20.0M", "20.0M"], ["79", HOSTILE, "6.00M", "19.0M", "19.0M"]]


def test_a_group(tmp_path, page_of):
    """Its limit is lowered on the way."""
    recording = Recording(tmp_path)
    stat = ("anon {}\nfile 0\nshmem 0\nfile_dirty 0\ninactive_anon 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n"
            "slab_reclaimable 0\n")
    for second, (usage, limit) in enumerate([(10, 100), (50, 100), (50, 52), (10, 52)]):
        for name, text in {"memory.current": f"{usage << 20}\n", "memory.max": f"{limit << 20}\n",
                           "memory.swap.max": "0\n", "memory.swap.current": "0\n",
                           "memory.stat": stat.format(usage << 20),
                           "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"}.items():
            recording.put(f"cgroup/0/{name}", text)
        recording.take(second)
    path = recording.write()
    page = Page(page_of(path, LIMITS))
    assert page.values("total", "group") == [pages(mib) for mib in (100, 100, 52, 52)]
    assert page.values("available", "group") == [pages(mib) for mib in (90, 50, 2, 42)]
    assert [row[2] for row in page.tables["group-events"][1:]] == ["total changed", "available reached",
                                                                   "available left"]
    assert "of the group was lowest at 2023-11-14" in page.words and ": 2.00M, 3.8 % of 52.0M;" in page.words
    assert "total" in page.data["series"]["machine"]["values"]
    assert "group" not in Page(page_of(path, "--system")).data["series"]


# --- what it is ---


def test_nothing_but_its_own_is_allowed_and_names_are_text(shortage, page_of):
    page = Page(page_of(shortage))
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert re.fullmatch(r"default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; base-uri 'none'; "
                        r"form-action 'none'", policy)
    assert [tag for tag, attrs in page.tags if tag == "script"] == ["script", "script"]
    assert not [tag for tag, attrs in page.tags if tag in ("img", "link", "iframe")
                or {"src", "href", "style", "onerror"} & set(attrs)]
    assert HOSTILE in page.words


def test_what_is_written_to_standard_output_is_the_same(shortage, page_of):
    assert shows("report", shortage, env=environment(TZ="UTC0")) == page_of(shortage).read_text(encoding="utf-8")


def test_a_recording_that_was_cut(shortage):
    whole = shortage.read_bytes()
    shortage.write_bytes(whole + whole[:-5])
    done = memnotify("report", shortage)
    assert done.returncode == 0 and "It does not end as it should: it is cut or damaged" in done.stdout
    assert "ends early" in done.stderr and done.stderr.count("\n") == 1


def test_one_moment(tmp_path, page_of):
    recording = Recording(tmp_path)
    recording.take(0)
    assert len(Page(page_of(recording.write())).values("available")) == 1


def test_errors(tmp_path, shortage):
    assert "No such file" in says(1, "report", tmp_path / "none")
    assert "LIMITS not understood" in says(2, "report", shortage, "nonsense<1")
    assert "No such file" in says(1, "report", shortage, "-o", tmp_path / "none" / "page.html")
    assert "an argument is missing" in says(2, "report")


def test_a_scenario_has_no_dates(tmp_path, page_of):
    path = tmp_path / "night.scenario"
    path.write_text("memory 8G\navailable 50%\nevery 1m\nover 5h available 1%\n", encoding="ascii")
    words = " ".join(Page(page_of(path)).words.split())
    assert "lowest at 5:00:00 h: 81.9M, 1 % of 8.00G; limits were reached 1 time" in words
    assert "3:00 h" in words and "1970" not in words


def test_dates_that_nobody_has_words_for(tmp_path, page_of):
    """As a damaged recording may have them: page_of() sees that nothing is complained of."""
    recording = Recording(tmp_path)
    for second, mib in enumerate((100, 5, 100)):
        recording.set_available(mib)
        recording.take(second)
    page = Page(page_of(recording.write(10 ** 12), LIMITS))
    assert [row[1] for row in page.tables["machine-events"][1:]] == ["", ""]
    assert "lowest at 1.0 s" in " ".join(page.words.split())


@pytest.mark.parametrize("machine", ["odd-huge-numbers", "odd-free-above-total", "odd-counters-back", "like-64k-pages"])
def test_strange_machines(tmp_path, page_of, machine):
    recording = Recording(tmp_path, machine=machine, page_bytes=65536 if "64k" in machine else 4096)
    for second in range(3):
        put_stalls(recording, (1 << 64) - 1 - second, second)
        recording.put("processes", f"1 {((1 << 64) - 1) * second} 5 one\n2 {second << 62} {second << 62} two\n")
        recording.take(second)
    page = Page(page_of(recording.write()))
    assert len(page.values("used")) == 3
    assert len([tag for tag, _ in page.tags if tag == "text"]) < 100


def test_a_day_fits_a_page(tmp_path, page_of):
    """One second of it is the worst, and limits are crossed thousands of times."""
    recording, number, worst = Recording(tmp_path), 86401, 43210
    for index, mib in enumerate((200, 150, 9, 3)):
        recording.set_available(mib)
        recording.put("processes", f"1 {mib << 20} 0 one\n")
        recording.take(index)
    directories = [line.split(" ", 1)[1] for line in recording.moments]
    recording.moments = [f"{i} {directories[3 if i == worst else 2 if i % 100 == 50 else i % 2]}"
                         for i in range(number)]
    path = page_of(recording.write(), LIMITS)
    page = Page(path)
    times, available = page.data["series"]["machine"]["ms"], page.values("available")
    assert path.stat().st_size < 2_000_000 and 512 <= len(times) <= 1024
    assert min(available) == pages(3) and times[available.index(pages(3))] == worst * 1000
    crossings = len(shows("replay", recording.path, LIMITS).splitlines())
    assert f"limits were reached {crossings // 2} times and left {crossings // 2}" in " ".join(page.words.split())
    rows = page.tables["machine-events"][1:]
    assert len(rows) == 1001 and f"{crossings - 1000} more are left out" in rows[500][0]
    assert f"There are more moments than a chart has columns: {number} in {len(times)}" in page.words


# --- what a browser makes of it ---


def box_of(browser, chart):
    """Its left, top and width, where it can be pointed at."""
    browser.evaluate(f"document.getElementById('{chart}').scrollIntoView({{block: 'center'}})")
    box = browser.evaluate(f"document.getElementById('{chart}').getBoundingClientRect().toJSON()")
    return box["left"], box["top"], box["width"]


def at(box, share):
    return box[0] + box[2] * share, box[1] + 100


def shown(browser, name):
    return browser.evaluate(f"document.querySelector('td[data-value=\"{name}\"]').textContent")


def stretch(browser, chart="machine-limits"):
    box = browser.evaluate(f"document.querySelector('#{chart} .plot').getAttribute('viewBox')")
    x, _, width, _ = map(float, box.split())
    return x, width


def test_it_asks_for_nothing_and_complains_of_nothing(shortage, page_of, browser):
    path = page_of(shortage)
    browser.open(path)
    box = box_of(browser, "machine-limits")
    browser.mouse("mouseMoved", *at(box, 0.5))
    assert browser.requests() == [f"file://{path}"]
    assert browser.complaints() == []
    assert browser.count("svg.chart") == 5 and browser.count("img, iframe") == 0


def test_what_is_shown_at_the_line_is_of_that_moment(shortage, page_of, browser):
    browser.open(page_of(shortage, LIMITS))
    box = box_of(browser, "machine-stalls")
    browser.mouse("mouseMoved", *at(box, LOWEST / (len(AVAILABLE_MIB) - 1)))
    assert browser.evaluate("document.getElementById('time').textContent").split() == [
        "2023-11-14", "22:13:30", "10.0", "s"]
    assert shown(browser, "available") == "6.00M"
    legend = ("document.querySelector('#machine-limits').closest('figure')"
              ".querySelector('b[data-value=\"{}\"]').textContent")
    assert browser.evaluate(legend.format("available")) == "6.00M"
    assert browser.evaluate(legend.format("limit available")) == "10.0M"
    assert browser.count(".cursor") == browser.count("svg.chart")
    browser.mouse("mouseMoved", *at(box, 9 / 19))
    assert shown(browser, "available") == "9.00M"
    assert browser.evaluate("document.querySelector('b[data-value=\"stall some\"]').textContent") == "50.0 %"


def test_zoom(shortage, page_of, browser):
    browser.open(page_of(shortage))
    box = box_of(browser, "machine-limits")
    browser.mouse("mousePressed", *at(box, 0.25), button="left", clickCount=1)
    browser.mouse("mouseMoved", *at(box, 0.5), button="left")
    browser.mouse("mouseReleased", *at(box, 0.5), button="left", clickCount=1)
    x, width = stretch(browser)
    assert (x, width) == (pytest.approx(250, abs=3), pytest.approx(250, abs=3))
    assert stretch(browser, "machine-growers") == (x, width)
    labels = browser.evaluate("Array.from(document.querySelectorAll('#machine-limits .times text'),"
                              " text => text.textContent)")
    assert labels and all("22:13:24" < label < "22:13:30" for label in labels)

    browser.mouse("mouseWheel", *at(box, 0.5), deltaX=0, deltaY=-100, modifiers=2)
    assert stretch(browser)[1] == pytest.approx(width * 0.8, rel=0.01)
    browser.evaluate("document.getElementById('all').click()")
    assert stretch(browser) == (0, 1000)
    browser.evaluate("document.getElementById('machine-limits').focus()")
    browser.key("+", text="+")
    assert stretch(browser)[1] == pytest.approx(500)
    browser.key("0", text="0")
    assert stretch(browser) == (0, 1000)
    browser.evaluate("document.getElementById('in').click()")
    browser.evaluate("document.getElementById('out').click()")
    assert stretch(browser) == (0, 1000)
    assert browser.complaints() == []


def test_keys_go_from_moment_to_moment(shortage, page_of, browser):
    browser.open(page_of(shortage))
    browser.mouse("mouseMoved", *at(box_of(browser, "machine-limits"), 0.0))
    browser.evaluate("document.getElementById('machine-limits').focus()")
    for expected in ("190M", "180M", "150M"):
        browser.key("ArrowRight")
        assert shown(browser, "available") == expected
    browser.key("ArrowLeft")
    assert shown(browser, "available") == "180M"


def test_without_scripts_it_has_all_charts(shortage, page_of, browser):
    browser.open(page_of(shortage, LIMITS), scripts=False)
    assert browser.count("svg.chart") == 5 and browser.count("svg.chart > title") == 5
    assert browser.count("#machine-limits .mark.reached") == 1 and browser.count("#machine-limits .mark.left") == 1
    assert browser.count("#machine-limits .times text") > 0 and browser.count("#tools[hidden]") == 1
    assert browser.count("body.scripted") == 0


def test_dark_and_light(shortage, page_of, browser):
    browser.open(page_of(shortage))
    light = browser.screenshot(), browser.evaluate("getComputedStyle(document.body).backgroundColor")
    browser.set_scheme("dark")
    dark = browser.screenshot(), browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light[1] == "rgb(255, 255, 255)" and dark[1] != light[1] and dark[0] != light[0]


def test_days_are_written_by_the_script_as_by_the_program(tmp_path, page_of, browser):
    recording = Recording(tmp_path)
    for day in range(8):
        recording.take(day * 86400)
    browser.open(page_of(recording.write()))
    days = "Array.from(document.querySelectorAll('#machine-limits .times text'), text => text.textContent)"
    before = browser.evaluate(days)
    browser.evaluate("document.getElementById('all').click()")
    assert browser.evaluate(days) == before == ["11-17", "11-19", "11-21"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_growers(tmp_path, page_of, browser, scheme):
    recording = Recording(tmp_path)
    for second in range(2):
        recording.put("processes", "".join(f"{pid} {(second * pid + 1) << 20} 0 p\n" for pid in range(1, 7)))
        recording.take(second)
    browser.open(page_of(recording.write()), scheme=scheme)
    paper = luminance(browser.evaluate("getComputedStyle(document.querySelector('svg.chart')).backgroundColor"))
    for number in range(6):
        ink = luminance(browser.evaluate(f"getComputedStyle(document.querySelector('svg .grower-{number}')).color"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 3, number


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(shortage, page_of, browser, scheme):
    """4.5 for words, and 3 for lines (WCAG 2, AA)."""
    browser.open(page_of(shortage), scheme=scheme)
    for selector, what, least in (("body", "color", 4.5), ("dt", "color", 4.5), ("thead th", "color", 4.5),
                                  ("svg.chart .times text", "fill", 4.5), ("svg .label.available", "fill", 4.5),
                                  ("svg .line.available", "color", 3), ("svg .line.full", "color", 3),
                                  ("svg .line.swap_used", "color", 3), ("svg .line.kill", "color", 3),
                                  ("svg .grower-0", "color", 3), ("svg .grower-1", "color", 3)):
        ink = luminance(browser.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{what}"))
        paper = luminance(browser.evaluate("getComputedStyle(document.querySelector('svg.chart')).backgroundColor"))
        ratio = (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)
        assert ratio >= least, (selector, ratio)


def test_on_a_telephone_nothing_is_wider_than_the_screen(shortage, page_of, browser):
    browser.open(page_of(shortage), width=360, height=740)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360


def test_in_print(shortage, page_of, browser):
    browser.open(page_of(shortage), scheme="dark")
    document = browser.print()
    assert document.startswith(b"%PDF-") and len(re.findall(rb"/Type\s*/Page\b", document)) >= 2
    browser.set_scheme("dark", media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.getElementById('tools')).display") == "none"
    assert browser.evaluate("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"
