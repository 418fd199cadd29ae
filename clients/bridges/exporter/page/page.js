// SPDX-License-Identifier: LGPL-2.1-or-later
// What `memnotify top` shows, in a browser: each message of /events is a look at all servers. What was seen in the last
// hour is kept here, also while the server is away. Names, which are anybody's, become text and never markup.
"use strict";

(function () {
    const HOUR_MS = 3600000, POINTS_MAX = 7200, EVENTS_MAX = 100, PROCESSES_MAX = 50, LABELS_MAX = 12, SAME_MS = 20;
    const UNSEEN_MS = 60000, RETRY_MS = 1000, RETRY_MS_MOST = 15000, SILENCE_MS_LEAST = 10000;
    const AXIS_PX = 22, LABEL_PX = 14, DAY_S = 86400;
    const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const SVG = "http://www.w3.org/2000/svg";
    const FIRST = ["available", "used", "swap_used"]; // what is asked for most
    const HELP = {
        used: "Memory and swap that cannot be had without giving something up.",
        active: "Memory that was used of late.",
        total: "Memory and swap there are.",
        free: "Memory that nobody uses.",
        available: "Memory that can be had without swapping.",
        anon: "Anonymous memory.",
        file: "Page cache, with shared memory.",
        shmem: "Shared memory and what lies in tmpfs.",
        slab_reclaimable: "Memory of the kernel that it can give back.",
        mlocked: "Memory that is locked.",
        dirty: "Memory that has yet to be written to disk.",
        swap_total: "Swap there is.",
        swap_free: "Swap that is free.",
        swap_used: "Swap that is used."
    };

    const byId = id => document.getElementById(id);
    const records = new Map(); // of servers, by name: what is known of each, and since when
    let latest = null, shown = null; // looks; they differ while it is paused
    let chosenMount = null, chosenMeter = "available", isPaused = false, isZoomed = false, at = null;
    let sort = {key: "grown", sign: -1};
    let reached = new Set();

    // --- elements ---

    function add(parent, tag, className) {
        const element = parent.appendChild(document.createElement(tag));

        element.className = className || "";
        return element;
    }

    function draw(parent, tag, attributes) {
        const element = parent.appendChild(document.createElementNS(SVG, tag));

        for (const key of Object.keys(attributes))
            element.setAttribute(key, attributes[key]);
        return element;
    }

    // What is the same is left alone, so that it stays selected and is not read out again.
    function write(element, text) {
        if (element.textContent !== text)
            element.textContent = text;
    }

    // As many children as items. Those that are there stay, and with them where the focus is.
    function list(parent, items, build, fill) {
        while (parent.children.length > items.length)
            parent.lastElementChild.remove();
        while (parent.children.length < items.length)
            build(parent);
        items.forEach((item, i) => fill(parent.children[i], item, i));
    }

    // --- words ---

    // As the program prints it.
    function size(bytes) {
        let amount = bytes / 1024, unit = 0;

        while (amount >= 999.5 && unit < 5) {
            amount /= 1024;
            unit++;
        }
        return bytes === 0 ? "0" : amount.toFixed(amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0) + "KMGTPE"[unit];
    }

    function round(bytes) {
        const text = size(bytes);

        return text.includes(".") ? text.replace(/\.?0+(?=[A-Z]$)/, "") : text;
    }

    // Controls in octal, as the program shows them, and what would turn round the text that follows.
    function plain(text) {
        return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, character =>
            Array.from(new TextEncoder().encode(character), byte => "\\" + byte.toString(8).padStart(3, "0")).join(""));
    }

    function shorten(text, length) {
        const characters = Array.from(text);

        return characters.length > length ? characters.slice(0, length - 1).join("") + "…" : text;
    }

    function percent(share) {
        return (share * 100).toFixed(0) + "%";
    }

    function two(number) {
        return String(number).padStart(2, "0");
    }

    function clock(ms, hasSeconds = true) {
        const date = new Date(ms), minutes = two(date.getHours()) + ":" + two(date.getMinutes());

        return hasSeconds ? minutes + ":" + two(date.getSeconds()) : minutes;
    }

    function day(ms) {
        const date = new Date(ms);

        return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate());
    }

    // The day is told where it is another.
    function moment(ms, now) {
        return (day(ms) === day(now) ? "" : day(ms) + " ") + clock(ms);
    }

    function limitText(limit) {
        return plain(limit.threshold) + " " + limit.op + " " + size(limit.bytes);
    }

    // --- meters ---

    function whole(sight, meter) {
        const total = sight.meters.total || 0, swap = sight.meters.swap_total || 0;

        switch (sight.parts[meter]) {
        case "memory":
            return Math.max(total - swap, 0);
        case "swap":
            return swap;
        default:
            return total;
        }
    }

    function shareOf(sight, meter) {
        const all = whole(sight, meter);

        return all > 0 ? Math.min(sight.meters[meter] / all, 1) : null;
    }

    function heat(meter, share) {
        const use = meter === "available" ? 1 - share : share;

        if (share === null || !["available", "used", "swap_used"].includes(meter))
            return "";
        return use >= 0.9 ? "hot" : use >= 0.75 ? "warm" : "easy";
    }

    function metersOf(sight) {
        const names = Object.keys(sight.meters);

        return FIRST.filter(name => names.includes(name)).concat(names.filter(name => !FIRST.includes(name)));
    }

    // Those that change, and of which there can be something.
    function drawable(sight) {
        return metersOf(sight).filter(name => name !== "total" && name !== "swap_total" && whole(sight, name) > 0);
    }

    function meterOf(sight) {
        const names = drawable(sight);

        return names.includes(chosenMeter) ? chosenMeter : names[0] || "available";
    }

    function help(meter) {
        return Object.hasOwn(HELP, meter) ? HELP[meter] : "";
    }

    function colour(meter) {
        return help(meter) && !meter.includes("total") ? meter : "plain";
    }

    // --- what has been seen ---

    function recordOf(name) {
        if (!records.has(name))
            records.set(name, {points: [], events: [], sight: null, sightMs: 0});
        return records.get(name);
    }

    // A clock that has been set back makes the times that are later wrong.
    function addPoint(record, look, mount) {
        const isKnown = Object.keys(mount.meters).length > 0 && !mount.gone && !mount.lack, now = look.time_ms;

        record.points = record.points.filter(old => old.ms < now && old.ms >= now - HOUR_MS).slice(1 - POINTS_MAX);
        record.points.push({ms: now, untilMs: now + look.interval_ms * 2.5, meters: isKnown ? mount.meters : null});
        if (isKnown || !record.sight) {
            record.sight = mount;
            record.sightMs = isKnown ? now : 0;
        }
    }

    // After a reconnection the server tells once more of what was told already; its dates are exact to a moment.
    function isSame(a, b) {
        return Math.abs(a.time_ms - b.time_ms) <= SAME_MS &&
            ["threshold", "meter", "word", "bytes", "limit_bytes"].every(key => a[key] === b[key]);
    }

    function addEvent(event, now) {
        const {events} = recordOf(event.mount);

        if (events.some(other => isSame(event, other)))
            return;
        events.unshift({...event, seenMs: now});
        events.sort((a, b) => b.time_ms - a.time_ms);
        events.splice(EVENTS_MAX);
    }

    function announce(look) {
        const before = reached, news = [];

        reached = new Set();
        for (const mount of look.mounts)
            for (const limit of mount.limits.filter(one => one.reached)) {
                const key = JSON.stringify([mount.name, limit.threshold, limit.meter, limit.op, limit.bytes]);

                reached.add(key);
                if (!before.has(key))
                    news.push((mount.name ? plain(mount.name) + ": " : "") + plain(limit.threshold) + " reached: " +
                        plain(limit.meter) + " " + limit.op + " " + size(limit.bytes));
            }
        if (news.length > 0 || reached.size === 0)
            write(byId("news"), news.join("; "));
    }

    function take(look) {
        for (const mount of look.mounts)
            addPoint(recordOf(mount.name), look, mount);
        for (const event of look.events)
            addEvent(event, look.time_ms);
        for (const name of records.keys())
            if (!look.mounts.some(mount => mount.name === name))
                records.delete(name);
        latest = look;
        announce(look);
        if (!isPaused)
            shown = latest;
    }

    // --- the head ---

    function putTitle() {
        const names = !latest ? [] : latest.mounts.flatMap(mount => mount.limits.filter(limit => limit.reached)
            .map(limit => plain(limit.threshold)));
        const unique = Array.from(new Set(names)), others = unique.length - 1;
        const more = others > 0 ? " and " + others + " more" : "";

        if (connection.isAway())
            document.title = "server away — memnotify";
        else
            document.title = unique.length > 0 ? "! " + unique[0] + more + " reached — memnotify" : "memnotify";
    }

    function putState() {
        const state = byId("state"), mount = mountNow();
        const classes = connection.isLive() ? "state live" : connection.isAway() ? "state away" : "state";

        write(state, connection.text() + (isPaused ? "; paused" : ""));
        if (state.className !== classes)
            state.className = classes;
        byId("mount").classList.toggle("stale", !connection.isLive() || Boolean(mount && mount.lack));
        putTitle();
    }

    function mountNow() {
        return shown && (shown.mounts.find(mount => mount.name === chosenMount) || shown.mounts[0] || null);
    }

    function choose(name) {
        chosenMount = name;
        at = null;
        put();
    }

    function buildTab(parent) {
        const tab = add(parent, "button"), sign = add(tab, "span", "sign");

        tab.type = "button";
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-controls", "mount");
        sign.setAttribute("aria-hidden", "true");
        add(tab, "span");
        add(tab, "span", "unseen");
        tab.addEventListener("click", () => choose(tab.mountName));
        tab.addEventListener("keydown", event => {
            const by = {ArrowRight: 1, ArrowLeft: -1}[event.key], tabs = Array.from(parent.children);

            if (!by)
                return;
            event.preventDefault();
            tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length].focus();
            choose(document.activeElement.mountName);
        });
    }

    function putTabs(now) {
        const tabs = byId("tabs"), mounts = shown.mounts, panel = byId("mount");

        tabs.hidden = mounts.length < 2;
        list(tabs, mounts, buildTab, (tab, mount, i) => {
            const isReached = mount.limits.some(limit => limit.reached), name = plain(mount.name || mount.place);

            tab.mountName = mount.name;
            tab.id = "tab-" + i;
            tab.tabIndex = mount === now ? 0 : -1;
            tab.title = plain(mount.place);
            tab.setAttribute("aria-selected", String(mount === now));
            tab.children[0].className = mount.lack ? "sign lack" : "sign";
            write(tab.children[0], mount.lack ? "?" : isReached ? "!" : "");
            write(tab.children[1], name);
            write(tab.children[2], mount.lack ? " (away)" : isReached ? " (limit reached)" : "");
        });
        for (const [name, value] of [["role", "tabpanel"], ["aria-labelledby", "tab-" + mounts.indexOf(now)]])
            if (tabs.hidden)
                panel.removeAttribute(name);
            else
                panel.setAttribute(name, value);
    }

    function putHead(mount, sight) {
        const whose = mount.group ? "control group" : "machine", {total} = sight.meters;
        const state = mount.gone ? ", which has been removed" : total ? ", " + size(total) : "";

        write(byId("title"), "Memory of the " + whose + state + (mount.place ? ", from " + plain(mount.place) : ""));
        byId("simulated").hidden = !mount.simulated;
        byId("lack").hidden = !mount.lack;
        write(byId("lack"), !mount.lack ? "" : plain(mount.lack) + (recordOf(mount.name).sightMs === 0 ? "" :
            " — what is shown is of " + moment(recordOf(mount.name).sightMs, shown.time_ms)));
    }

    // --- tables ---

    function buildMeter(parent) {
        const row = add(parent, "tr"), heading = add(row, "th"), button = add(heading, "button");

        heading.scope = "row";
        button.type = "button";
        button.addEventListener("click", () => chooseMeter(button.meter));
        add(row, "td", "n");
        add(row, "td", "n");
        add(add(add(row, "td"), "div", "bar"), "div");
    }

    function chooseMeter(meter) {
        chosenMeter = meter;
        put();
    }

    function putMeters(sight) {
        const meters = metersOf(sight), choices = drawable(sight), chosen = meterOf(sight);

        list(byId("meters").tBodies[0], meters, buildMeter, (row, meter) => {
            const [heading, value, part, bar] = row.children, button = heading.firstElementChild;
            const share = shareOf(sight, meter), kind = heat(meter, share), filled = bar.querySelector(".bar div");

            button.meter = meter;
            button.disabled = !choices.includes(meter);
            button.title = help(meter);
            button.setAttribute("aria-pressed", String(meter === chosen));
            write(button, plain(meter));
            write(value, size(sight.meters[meter]));
            write(part, share === null ? "" : percent(share));
            part.className = kind === "easy" ? "n" : "n " + kind;
            filled.className = kind;
            filled.style.width = ((share || 0) * 100).toFixed(2) + "%";
        });
        list(byId("meter"), choices, parent => add(parent, "option"), (option, meter) => {
            option.value = meter;
            write(option, plain(meter));
        });
        byId("meter").value = chosen;
    }

    function buildLimit(parent) {
        const item = add(parent, "li");

        for (const name of ["name", "word", "what", "times"])
            add(item, "span", name);
    }

    // Those that are reached come first.
    function putLimits(sight) {
        const limits = sight.limits.filter(limit => limit.reached).concat(sight.limits.filter(limit => !limit.reached));

        list(byId("limits"), limits, buildLimit, (item, limit) => {
            const [name, word, what, times] = item.children;

            item.className = limit.reached ? "reached" : "";
            write(name, plain(limit.threshold));
            write(word, limit.reached ? "! reached" : "not reached");
            write(what, plain(limit.meter) + " " + limit.op + " " + size(limit.bytes));
            write(times, limit.crossings + (limit.crossings === 1 ? " crossing" : " crossings"));
        });
        byId("no-limits").hidden = limits.length > 0;
        byId("limits-left-out").hidden = !sight.limits_left_out;
        write(byId("limits-left-out"), sight.limits_left_out + " more are left out");
    }

    function buildStall(parent) {
        const row = add(parent, "tr");

        add(row, "th").scope = "row";
        for (let i = 0; i < 3; i++)
            add(row, "td", "n");
    }

    function putStalls(stalls) {
        const lines = stalls ? [["some wait", stalls.some], ["all wait", stalls.full]].filter(line => line[1]) : [];

        list(byId("stalls").tBodies[0], lines, buildStall, (row, line) => {
            write(row.children[0], line[0]);
            line[1].slice(0, 3).forEach((number, i) => {
                write(row.children[i + 1], number.toFixed(2) + "%");
                row.children[i + 1].className = number >= 10 ? "n hot" : number >= 1 ? "n warm" : "n";
            });
        });
        byId("stalls").hidden = lines.length === 0;
        byId("no-stalls").hidden = lines.length > 0;
    }

    function eventsOf(mount) {
        return recordOf(mount.name).events.filter(event => event.seenMs <= shown.time_ms);
    }

    function amounts(event) {
        if (event.word === "reached" || event.word === "left")
            return size(event.bytes) + " limit " + size(event.limit_bytes);
        return event.word === "changed" ? size(event.bytes) + " before " + size(event.limit_bytes) : "";
    }

    function buildEvent(parent) {
        const item = add(parent, "li");

        add(item, "time");
        for (const name of ["name", "meter", "word", "amounts"])
            add(item, "span", name);
    }

    function putEvents(mount) {
        const events = eventsOf(mount);

        list(byId("events"), events, buildEvent, (item, event) => {
            const [time, name, meter, word, numbers] = item.children;

            item.className = event.word === "reached" ? "reached" : "";
            time.dateTime = new Date(event.time_ms).toISOString();
            write(time, moment(event.time_ms, shown.time_ms));
            write(name, plain(event.threshold || ""));
            write(meter, plain(event.meter || ""));
            write(word, plain(event.word).replace("_", " "));
            write(numbers, amounts(event));
        });
        byId("no-events").hidden = events.length > 0;
        byId("events").hidden = events.length === 0;
    }

    // --- processes ---

    function buildProcess(parent) {
        const row = add(parent, "tr");

        add(row, "th").scope = "row";
        for (const name of ["n pid", "n", "n", "n"])
            add(row, "td", name);
    }

    function putProcesses() {
        const section = byId("processes"), processes = (shown.processes || []).slice();

        section.hidden = !shown.processes;
        processes.sort((a, b) => (a[sort.key] - b[sort.key]) * sort.sign || a.pid - b.pid);
        list(section.querySelector("tbody"), processes.slice(0, PROCESSES_MAX), buildProcess, (row, process) => {
            const sign = process.grown > 0 ? "+" : process.grown < 0 ? "-" : "";

            [plain(process.name), String(process.pid), size(process.rss), sign + size(Math.abs(process.grown)),
                size(process.swap)].forEach((text, i) => write(row.children[i], text));
        });
        section.querySelector("table").hidden = processes.length === 0;
        byId("no-processes").hidden = processes.length > 0;
        for (const button of section.querySelectorAll("[data-sort]"))
            if (button.dataset.sort === sort.key)
                button.parentElement.setAttribute("aria-sort", sort.sign < 0 ? "descending" : "ascending");
            else
                button.parentElement.removeAttribute("aria-sort");
    }

    // --- the graph ---

    // The stretch of time that is shown. It grows with what is known, from one minute.
    function stretch(points) {
        const to = shown.time_ms, span = Number(byId("span").value) * 1000;
        const first = points.length > 0 ? points[0].ms : to;

        return {from: Math.max(to - span, Math.min(first, to - 60000)), to};
    }

    function pointsOf(mount, meter) {
        return recordOf(mount.name).points.filter(point => point.ms <= shown.time_ms).map(point => ({
            ms: point.ms, untilMs: point.untilMs,
            value: point.meters && Object.hasOwn(point.meters, meter) ? point.meters[meter] : null
        }));
    }

    // What is drawn, and where: x and y of a moment and of a value.
    function frame(mount, sight) {
        const svg = byId("graph"), width = svg.clientWidth, height = svg.clientHeight - AXIS_PX, meter = meterOf(sight);
        const all = pointsOf(mount, meter), {from, to} = stretch(all), inside = all.filter(point => point.ms >= from);
        const before = all.filter(point => point.ms < from && point.untilMs >= from).slice(-1);
        const limits = sight.limits.filter(limit => limit.meter === meter);
        const most = Math.max(1, ...inside.map(point => point.value || 0));
        let top = Math.max(whole(sight, meter), most);

        while (isZoomed && top / 2 >= Math.max(most, ...limits.map(limit => limit.bytes)) && top >= 2)
            top /= 2;
        return {
            svg, width, height, meter, from, to, inside, top, points: before.concat(inside),
            limits: limits.filter(limit => limit.bytes <= top).sort((a, b) => b.bytes - a.bytes),
            x: ms => (ms - from) / (to - from) * width,
            y: value => height - Math.min(value / top, 1) * (height - 4)
        };
    }

    // Stretches of which all is known.
    function runs(points) {
        const found = [];
        let run = null, untilMs = 0;

        for (const point of points) {
            if (point.value === null) {
                run = null;
                continue;
            }
            if (!run || point.ms > untilMs)
                found.push(run = []);
            run.push(point);
            untilMs = point.untilMs;
        }
        return found;
    }

    function drawValues(graph) {
        const values = draw(graph.svg, "g", {"class": "values"}), step = 2 ** Math.ceil(Math.log2(graph.top / 6));

        for (let value = step; value <= graph.top; value += step) {
            const y = graph.y(value);

            draw(values, "line", {"class": "grid", x1: 0, x2: graph.width, y1: y, y2: y});
            draw(values, "text", {x: 3, y: y + 13}).textContent = round(value);
        }
    }

    function drawTimes(graph) {
        const times = draw(graph.svg, "g", {"class": "times"}), seconds = (graph.to - graph.from) / 1000;
        const most = Math.max(graph.width / 90, 2), step = STEPS_S.find(s => seconds / s <= most) || DAY_S;
        const offset = -new Date(graph.to).getTimezoneOffset() * 60;

        for (let s = Math.ceil((graph.from / 1000 + offset) / step) * step; ; s += step) {
            const ms = (s - offset) * 1000, x = graph.x(ms);

            if (x > graph.width - 25)
                return;
            if (x < 25)
                continue;
            draw(times, "line", {"class": "grid", x1: x, x2: x, y1: 0, y2: graph.height});
            draw(times, "text", {x, y: graph.height + 16}).textContent = clock(ms, step < 60);
        }
    }

    function drawLine(graph) {
        const group = draw(graph.svg, "g", {"class": colour(graph.meter)}), lines = runs(graph.points).map(run =>
            run.map(point => graph.x(point.ms).toFixed(1) + " " + graph.y(point.value).toFixed(1)));
        const areas = lines.map(line => "M" + line[0].split(" ")[0] + " " + graph.height + "L" + line.join("L") + "L" +
            line.at(-1).split(" ")[0] + " " + graph.height + "Z");

        draw(group, "path", {"class": "area", d: areas.join("")});
        // A moment alone is a dot.
        draw(group, "path", {"class": "line", d: lines.map(line => "M" + [...line, line.at(-1)].join("L")).join("")});
    }

    function drawLimits(graph) {
        const group = draw(graph.svg, "g", {"class": "limits-drawn " + colour(graph.meter)});

        for (const limit of graph.limits) {
            const y = graph.y(limit.bytes), kind = limit.reached ? "limit reached" : "limit";

            draw(group, "line", {"class": kind, x1: 0, x2: graph.width, y1: y, y2: y});
        }
    }

    // The names are moved apart, and what has no room is in the list of limits only.
    function drawLabels(graph) {
        const group = draw(graph.svg, "g", {"class": "labels " + colour(graph.meter)});
        let last = 0;

        for (const limit of graph.limits.slice(0, LABELS_MAX)) {
            const y = graph.y(limit.bytes), above = y - 5, isFree = above >= last + LABEL_PX;

            last = isFree ? above : Math.max(last, y) + LABEL_PX;
            if (last > graph.height - 2)
                return;
            draw(group, "text", {"class": limit.reached ? "label reached" : "label", x: graph.width - 6, y: last})
                .textContent = shorten((limit.reached ? "! " : "") + limitText(limit), Math.floor(graph.width / 9));
        }
    }

    function drawMarks(graph, mount) {
        const group = draw(graph.svg, "g", {"class": "marks"});

        for (const event of eventsOf(mount))
            if (event.meter === graph.meter && (event.word === "reached" || event.word === "left") &&
                event.time_ms >= graph.from && event.limit_bytes <= graph.top)
                draw(group, "circle", {"class": "mark " + event.word, r: 4, cx: graph.x(event.time_ms),
                    cy: graph.y(event.limit_bytes)});
    }

    function find(points, ms) {
        return points.reduce((best, point, i) =>
            Math.abs(point.ms - ms) < Math.abs(points[best].ms - ms) ? i : best, 0);
    }

    function extremes(points) {
        const known = points.filter(point => point.value !== null);

        if (known.length === 0)
            return "nothing is known yet";
        const low = known.reduce((a, b) => b.value < a.value ? b : a);
        const high = known.reduce((a, b) => b.value > a.value ? b : a);

        return "lowest " + size(low.value) + " at " + clock(low.ms) + ", highest " + size(high.value) + " at " +
            clock(high.ms);
    }

    function describe(sight, meter, point) {
        const all = whole(sight, meter), share = all > 0 ? ", " + percent(point.value / all) : "";

        return clock(point.ms) + "  " + plain(meter) + " " + size(point.value) + share;
    }

    function drawCursor(graph, sight) {
        const points = graph.inside, last = Math.max(points.length - 1, 0);

        if (at < graph.from || points.length === 0)
            at = null;
        const i = at === null ? last : find(points, at), point = points[i];
        const isKnown = at !== null && point.value !== null && at <= point.untilMs;
        const text = at === null ? extremes(points) : isKnown ? describe(sight, graph.meter, point) :
            clock(at) + "  nothing is known";

        if (at !== null) {
            const x = Math.max(graph.x(isKnown ? point.ms : at), 0), kind = "dot " + colour(graph.meter);

            draw(graph.svg, "line", {"class": "cursor", x1: x, x2: x, y1: 0, y2: graph.height});
            if (isKnown)
                draw(graph.svg, "circle", {"class": kind, r: 5, cx: x, cy: graph.y(point.value)});
        }
        write(byId("readout"), text);
        for (const [name, value] of Object.entries({valuemin: 0, valuemax: last, valuenow: i, valuetext: text}))
            graph.svg.setAttribute("aria-" + name, value);
    }

    function putGraph(mount, sight) {
        const graph = frame(mount, sight), value = sight.meters[graph.meter], share = value === undefined ? null :
            shareOf(sight, graph.meter);

        write(byId("meter-name"), plain(graph.meter));
        write(byId("meter-value"), value === undefined ? "unknown" : size(value));
        byId("meter-value").className = colour(graph.meter);
        write(byId("meter-share"), share === null ? "" : percent(share) + " of " + size(whole(sight, graph.meter)));
        byId("graph-title").title = help(graph.meter);
        graph.svg.replaceChildren();
        if (graph.width === 0)
            return;
        drawValues(graph);
        drawTimes(graph);
        drawLine(graph);
        drawLimits(graph);
        drawMarks(graph, mount);
        drawLabels(graph);
        drawCursor(graph, sight);
    }

    // --- all ---

    // While a server is away, what was known last stays.
    function put() {
        const mount = mountNow();

        putState();
        if (!shown)
            return;
        byId("nothing").hidden = Boolean(mount);
        byId("mount").hidden = !mount;
        putProcesses();
        if (!mount)
            return;
        const sight = Object.keys(mount.meters).length > 0 ? mount : recordOf(mount.name).sight || mount;

        putTabs(mount);
        putHead(mount, sight);
        putMeters(sight);
        putLimits(sight);
        putStalls(sight.stalls);
        putEvents(mount);
        putGraph(mount, sight);
    }

    // --- the server ---

    // EventSource would give up on an answer that is no stream, and wait for ever where a connection is dead.
    const connection = (function () {
        let source = null, tries = 0, retry = 0, silence = 0, state = "connecting";

        function close() {
            clearTimeout(retry);
            clearTimeout(silence);
            if (source)
                source.close();
            source = null;
        }

        function wait() {
            clearTimeout(silence);
            silence = setTimeout(lose, Math.max(SILENCE_MS_LEAST, latest ? latest.interval_ms * 3 : 0));
        }

        function lose() {
            close();
            state = "away";
            retry = setTimeout(open, Math.min(RETRY_MS * 2 ** tries++, RETRY_MS_MOST));
            putState();
        }

        function hear(event) {
            try {
                take(JSON.parse(event.data));
            } catch (problem) { // no server of this page
                lose();
                return;
            }
            tries = 0;
            state = "live";
            wait();
            put();
        }

        function open() {
            close();
            source = new EventSource("/events");
            source.onmessage = hear;
            source.onerror = lose;
            wait();
            putState();
        }

        function sleep() {
            close();
            state = "asleep";
            putState();
        }

        function text() {
            if (state === "live")
                return "live, every " + latest.interval_ms / 1000 + " s";
            if (state !== "away")
                return state;
            if (tries === 1 && latest)
                return "reconnecting";
            return "server away" + (latest ? ": last seen " + moment(latest.time_ms, Date.now()) : "");
        }

        return {open, sleep, text, isLive: () => state === "live", isAway: () => state === "away",
            isAsleep: () => state === "asleep"};
    }());

    // --- hands ---

    function turn(button, isOn) {
        button.setAttribute("aria-pressed", String(isOn));
    }

    function pause() {
        isPaused = !isPaused;
        turn(byId("pause"), isPaused);
        if (!isPaused)
            shown = latest;
        put();
    }

    function point(event) {
        const box = byId("graph").getBoundingClientRect(), mount = mountNow();

        if (!mount)
            return;
        const {from, to} = stretch(recordOf(mount.name).points);

        at = from + Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * (to - from);
        put();
    }

    // From moment to moment; those outside of the graph are not gone to.
    function step(key) {
        const mount = mountNow(), all = mount ? recordOf(mount.name).points : [], {from, to} = stretch(all);
        const points = all.filter(one => one.ms >= from && one.ms <= to), last = points.length - 1;
        const now = at === null ? last : find(points, at);
        const wanted = {ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last}[key];

        at = key === "Escape" || last < 0 ? null : points[Math.min(Math.max(wanted, 0), last)].ms;
        put();
    }

    function listen() {
        const graph = byId("graph");
        let rest = 0;

        byId("pause").addEventListener("click", pause);
        byId("zoom").addEventListener("click", () => {
            isZoomed = !isZoomed;
            turn(byId("zoom"), isZoomed);
            put();
        });
        byId("meter").addEventListener("change", event => chooseMeter(event.target.value));
        byId("span").addEventListener("change", put);
        for (const button of document.querySelectorAll("[data-sort]"))
            button.addEventListener("click", () => {
                const key = button.dataset.sort;

                sort = {key, sign: key === sort.key ? -sort.sign : -1};
                put();
            });
        graph.addEventListener("pointermove", point);
        graph.addEventListener("pointerdown", point);
        graph.addEventListener("pointerleave", event => {
            if (event.pointerType === "mouse")
                step("Escape");
        });
        graph.addEventListener("keydown", event => {
            if (["ArrowLeft", "ArrowRight", "Home", "End", "Escape"].includes(event.key) && shown) {
                event.preventDefault();
                step(event.key);
            }
        });
        new ResizeObserver(() => put()).observe(graph);
        document.addEventListener("visibilitychange", () => {
            clearTimeout(rest);
            if (document.hidden)
                rest = setTimeout(connection.sleep, UNSEEN_MS);
            else if (connection.isAsleep())
                connection.open();
        });
    }

    listen();
    connection.open();
}());
