// SPDX-License-Identifier: LGPL-2.1-or-later
// What the charts of a report can do beside being looked at: all show the same time, and the same stretch of it.
"use strict";

(function () {
    const WIDTH = 1000, HEIGHT = 240, LEAST_MS = 10, DAY_S = 86400, TICKS = 5, EDGE = 0.03;
    const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY_S];
    const SVG = "http://www.w3.org/2000/svg";
    const data = JSON.parse(document.getElementById("data").textContent);
    const duration = Math.max(data.duration_ms, 1);
    const charts = Array.from(document.querySelectorAll("svg.chart"), svg => ({
        svg, plot: svg.querySelector(".plot"), times: svg.querySelector(".times"), cursor: null
    }));
    const places = Array.from(document.querySelectorAll("[data-value]"), element => ({
        element, value: element.dataset.value, table: Boolean(element.closest("table"))
    }));
    let from = 0, to = duration, at = null, dragged = null;

    function make(parent, name, attributes) {
        const element = parent.appendChild(document.createElementNS(SVG, name));

        for (const key of Object.keys(attributes))
            element.setAttribute(key, attributes[key]);
        return element;
    }

    // --- as the program prints it ---

    function size(bytes) {
        let amount = bytes / 1024, unit = 0;

        while (amount >= 999.5 && unit < 5) {
            amount /= 1024;
            unit++;
        }
        return bytes === 0 ? "0" : amount.toFixed(amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0) + "KMGTPE"[unit];
    }

    function date(ms, start, end) {
        return new Date(data.local_ms + ms).toISOString().replace("T", " ").slice(start, end);
    }

    function time(ms) {
        return (data.local_ms > 0 ? date(ms, 0, 19) + " \u2003 " : "") + (ms / 1000).toFixed(1) + " s";
    }

    function tick(local, step) {
        if (data.local_ms === 0)
            return step < 60 ? local + " s" : Math.floor(local / 3600) + ":" + date(local * 1000, 14, 16) + " h";
        if (step >= DAY_S)
            return date(local * 1000 - data.local_ms, 5, 10);
        return date(local * 1000 - data.local_ms, 11, step >= 60 ? 16 : 19);
    }

    // --- what there was at the line ---

    // The moment nearest to the time.
    function find(times, ms) {
        let low = 0, high = times.length - 1;

        while (low < high) {
            const middle = (low + high) >> 1;

            if (times[middle] < ms)
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && ms - times[low - 1] < times[low] - ms ? low - 1 : low;
    }

    function show(place) {
        const holder = place.element.closest("[data-of]");
        const name = place.value.startsWith("process ") ? "processes" : holder.dataset.of;
        const series = data.series[name], values = series && series.values[place.value];
        const value = at === null || !values ? null : values[find(series.ms, at)];

        if (value === null)
            place.element.textContent = "";
        else if (place.value.startsWith("stall "))
            place.element.textContent = (value / 100).toFixed(1) + " %";
        else
            place.element.textContent = size(value * series.bytes);
    }

    function point(ms) {
        const main = Object.values(data.series)[0];

        at = main.ms[find(main.ms, Math.min(Math.max(ms, from), to))];
        document.getElementById("time").textContent = time(at);
        places.forEach(show);
        for (const chart of charts) {
            chart.cursor = chart.cursor || make(chart.plot, "line", {"class": "cursor", y1: 0, y2: HEIGHT});
            chart.cursor.setAttribute("x1", at / duration * WIDTH);
            chart.cursor.setAttribute("x2", at / duration * WIDTH);
        }
    }

    // --- which stretch of time ---

    function drawTimes(chart) {
        const seconds = (to - from) / 1000, step = STEPS_S.find(s => seconds / s < TICKS + 1) ||
            Math.ceil(seconds / DAY_S / TICKS) * DAY_S;
        const first = (Math.floor((data.local_ms + from) / 1000 / step) + 1) * step;

        chart.times.replaceChildren();
        for (let local = first; ; local += step) {
            const share = (local * 1000 - data.local_ms - from) / (to - from), x = (share * 100).toFixed(3) + "%";

            if (share > 1 - EDGE)
                return;
            if (share < EDGE)
                continue;
            make(chart.times, "line", {x1: x, x2: x, y1: 0, y2: HEIGHT});
            make(chart.times, "text", {x, y: HEIGHT + 16}).textContent = tick(local, step);
        }
    }

    function zoom(newFrom, newTo) {
        const length = Math.min(Math.max(newTo - newFrom, LEAST_MS), duration);

        from = Math.min(Math.max(newFrom, 0), duration - length);
        to = from + length;
        for (const chart of charts) {
            chart.plot.setAttribute("viewBox", [from / duration * WIDTH, 0, length / duration * WIDTH, HEIGHT].join(" "));
            drawTimes(chart);
        }
    }

    function zoomAround(ms, factor) {
        zoom(ms - (ms - from) * factor, ms + (to - ms) * factor);
    }

    function middle() {
        return at !== null && at >= from && at <= to ? at : (from + to) / 2;
    }

    // --- hands ---

    function timeOf(chart, event) {
        const box = chart.svg.getBoundingClientRect();

        return from + Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * (to - from);
    }

    function drag(chart, event) {
        const ms = timeOf(chart, event), start = Math.min(dragged.ms, ms), end = Math.max(dragged.ms, ms);

        dragged.choice = dragged.choice || make(chart.plot, "rect", {"class": "choice", y: 0, height: HEIGHT});
        dragged.choice.setAttribute("x", start / duration * WIDTH);
        dragged.choice.setAttribute("width", (end - start) / duration * WIDTH);
    }

    function drop(chart, event, takes) {
        const ms = timeOf(chart, event), start = dragged.ms, moved = Math.abs(event.clientX - dragged.x);

        if (dragged.choice)
            dragged.choice.remove();
        dragged = null;
        if (takes && moved > 5)
            zoom(Math.min(start, ms), Math.max(start, ms));
    }

    const keys = {
        "+": () => zoomAround(middle(), 0.5),
        "=": () => zoomAround(middle(), 0.5),
        "-": () => zoomAround(middle(), 2),
        "0": () => zoom(0, duration),
        "Escape": () => zoom(0, duration),
        "ArrowLeft": () => step(-1),
        "ArrowRight": () => step(1)
    };

    // To the moment before, or the next; the stretch follows.
    function step(by) {
        const times = Object.values(data.series)[0].ms, now = find(times, at === null ? middle() : at);
        const ms = times[Math.min(Math.max(now + by, 0), times.length - 1)];

        if (ms < from || ms > to)
            zoom(ms - (to - from) / 2, ms + (to - from) / 2);
        point(ms);
    }

    function listen(chart) {
        const svg = chart.svg;

        svg.classList.add("zooms");
        svg.addEventListener("pointermove", event => {
            point(timeOf(chart, event));
            if (dragged)
                drag(chart, event);
        });
        svg.addEventListener("pointerdown", event => {
            if (event.button !== 0 || dragged)
                return;
            dragged = {ms: timeOf(chart, event), x: event.clientX, choice: null};
            svg.setPointerCapture(event.pointerId);
            point(dragged.ms);
        });
        svg.addEventListener("pointerup", event => dragged && drop(chart, event, true));
        svg.addEventListener("pointercancel", event => dragged && drop(chart, event, false));
        svg.addEventListener("dblclick", () => zoom(0, duration));
        svg.addEventListener("wheel", event => {
            if (!event.ctrlKey && !event.metaKey)
                return;
            event.preventDefault();
            zoomAround(timeOf(chart, event), event.deltaY < 0 ? 0.8 : 1.25);
        }, {passive: false});
        svg.addEventListener("keydown", event => {
            if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
                event.preventDefault();
                keys[event.key]();
            }
        });
    }

    charts.forEach(listen);
    document.getElementById("in").addEventListener("click", keys["+"]);
    document.getElementById("out").addEventListener("click", keys["-"]);
    document.getElementById("all").addEventListener("click", keys["0"]);
    document.getElementById("tools").hidden = false;
    document.body.classList.add("scripted");
}());
