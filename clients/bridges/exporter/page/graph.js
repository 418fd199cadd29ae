// SPDX-License-Identifier: LGPL-2.1-or-later
// The graph of one meter, with its limits as lines, and the moment that is pointed at.
import {byId, draw, write} from "./elements.js";
import {eventsOf, pointsOf, recordOf} from "./history.js";
import {colour, help, meterOf, shareOf, whole} from "./meters.js";
import {mountNow, view} from "./view.js";
import {clock, limitText, percent, plain, round, shorten, size} from "./words.js";

const LABELS_MAX = 12, AXIS_PX = 22, LABEL_PX = 14, DAY_S = 86400;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

// The stretch of time that is shown. It grows with what is known, from one minute.
function stretch(points) {
    const to = view.shown.time_ms, span = Number(byId("span").value) * 1000;
    const first = points.length > 0 ? points[0].ms : to;

    return {from: Math.max(to - span, Math.min(first, to - 60000)), to};
}

// What is drawn, and where: x and y of a moment and of a value.
function frame(mount, sight) {
    const svg = byId("graph"), width = svg.clientWidth, height = svg.clientHeight - AXIS_PX, meter = meterOf(sight);
    const all = pointsOf(mount, meter), {from, to} = stretch(all), inside = all.filter(point => point.ms >= from);
    const before = all.filter(point => point.ms < from && point.untilMs >= from).slice(-1);
    const limits = sight.limits.filter(limit => limit.meter === meter);
    const most = Math.max(1, ...inside.map(point => point.value || 0));
    let top = Math.max(whole(sight, meter), most);

    while (view.isZoomed && top / 2 >= Math.max(most, ...limits.map(limit => limit.limit)) && top >= 2)
        top /= 2;
    return {
        svg, width, height, meter, from, to, inside, top, points: before.concat(inside),
        limits: limits.filter(limit => limit.limit <= top).sort((a, b) => b.limit - a.limit),
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
        const y = graph.y(limit.limit), kind = limit.reached ? "limit reached" : "limit";

        draw(group, "line", {"class": kind, x1: 0, x2: graph.width, y1: y, y2: y});
    }
}

// The names are moved apart, and what has no room is in the list of limits only.
function drawLabels(graph) {
    const group = draw(graph.svg, "g", {"class": "labels " + colour(graph.meter)});
    let last = 0;

    for (const limit of graph.limits.slice(0, LABELS_MAX)) {
        const y = graph.y(limit.limit), above = y - 5, isFree = above >= last + LABEL_PX;

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

    if (view.at < graph.from || points.length === 0)
        view.at = null;
    const i = view.at === null ? last : find(points, view.at), point = points[i];
    const isKnown = view.at !== null && point.value !== null && view.at <= point.untilMs;
    const text = view.at === null ? extremes(points) : isKnown ? describe(sight, graph.meter, point) :
        clock(view.at) + "  nothing is known";

    if (view.at !== null) {
        const x = Math.max(graph.x(isKnown ? point.ms : view.at), 0), kind = "dot " + colour(graph.meter);

        draw(graph.svg, "line", {"class": "cursor", x1: x, x2: x, y1: 0, y2: graph.height});
        if (isKnown)
            draw(graph.svg, "circle", {"class": kind, r: 5, cx: x, cy: graph.y(point.value)});
    }
    write(byId("readout"), text);
    for (const [name, value] of Object.entries({valuemin: 0, valuemax: last, valuenow: i, valuetext: text}))
        graph.svg.setAttribute("aria-" + name, value);
}

export function putGraph(mount, sight) {
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

export function point(event) {
    const box = byId("graph").getBoundingClientRect(), mount = mountNow();

    if (!mount)
        return;
    const {from, to} = stretch(recordOf(mount.name).points);

    view.at = from + Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * (to - from);
    view.changed();
}

// From moment to moment; those outside of the graph are not gone to.
export function step(key) {
    const mount = mountNow(), all = mount ? recordOf(mount.name).points : [], {from, to} = stretch(all);
    const points = all.filter(one => one.ms >= from && one.ms <= to), last = points.length - 1;
    const now = view.at === null ? last : find(points, view.at);
    const wanted = {ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last}[key];

    view.at = key === "Escape" || last < 0 ? null : points[Math.min(Math.max(wanted, 0), last)].ms;
    view.changed();
}
