// SPDX-License-Identifier: LGPL-2.1-or-later
// Meters, limits, stalls, events and processes, as lists and tables.
import {add, byId, list, write} from "./elements.js";
import {eventsOf} from "./history.js";
import {drawable, heat, help, meterOf, metersOf, shareOf} from "./meters.js";
import {chooseMeter, view} from "./view.js";
import {moment, percent, plain, size} from "./words.js";

const PROCESSES_MAX = 50;

function buildMeter(parent) {
    const row = add(parent, "tr"), heading = add(row, "th"), button = add(heading, "button");

    heading.scope = "row";
    button.type = "button";
    button.addEventListener("click", () => chooseMeter(button.meter));
    add(row, "td", "n");
    add(row, "td", "n");
    add(add(add(row, "td"), "div", "bar"), "div");
}

export function putMeters(sight) {
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
export function putLimits(sight) {
    const limits = sight.limits.filter(limit => limit.reached).concat(sight.limits.filter(limit => !limit.reached));

    list(byId("limits"), limits, buildLimit, (item, limit) => {
        const [name, word, what, times] = item.children;

        item.className = limit.reached ? "reached" : "";
        write(name, plain(limit.threshold));
        write(word, limit.reached ? "! reached" : "not reached");
        write(what, plain(limit.meter) + " " + limit.op + " " + size(limit.limit));
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

export function putStalls(pressure) {
    const lines = pressure ? [["some wait", pressure.some], ["all wait", pressure.full]] : [];

    list(byId("stalls").tBodies[0], lines, buildStall, (row, line) => {
        write(row.children[0], line[0]);
        [line[1].avg10, line[1].avg60, line[1].avg300].forEach((number, i) => {
            write(row.children[i + 1], number.toFixed(2) + "%");
            row.children[i + 1].className = number >= 10 ? "n hot" : number >= 1 ? "n warm" : "n";
        });
    });
    byId("stalls").hidden = lines.length === 0;
    byId("no-stalls").hidden = lines.length > 0;
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

export function putEvents(mount) {
    const events = eventsOf(mount);

    list(byId("events"), events, buildEvent, (item, event) => {
        const [time, name, meter, word, numbers] = item.children;

        item.className = event.word === "reached" ? "reached" : "";
        time.dateTime = new Date(event.time_ms).toISOString();
        write(time, moment(event.time_ms, view.shown.time_ms));
        write(name, plain(event.threshold || ""));
        write(meter, plain(event.meter || ""));
        write(word, plain(event.word).replace("_", " "));
        write(numbers, amounts(event));
    });
    byId("no-events").hidden = events.length > 0;
    byId("events").hidden = events.length === 0;
}

function buildProcess(parent) {
    const row = add(parent, "tr");

    add(row, "th").scope = "row";
    for (const name of ["n pid", "n", "n", "n"])
        add(row, "td", name);
}

export function putProcesses() {
    const section = byId("processes"), processes = (view.shown.processes || []).slice();

    section.hidden = !view.shown.processes;
    processes.sort((a, b) => (a[view.sort.key] - b[view.sort.key]) * view.sort.sign || a.pid - b.pid);
    list(section.querySelector("tbody"), processes.slice(0, PROCESSES_MAX), buildProcess, (row, process) => {
        const sign = process.grown > 0 ? "+" : process.grown < 0 ? "-" : "";

        [plain(process.name), String(process.pid), size(process.rss), sign + size(Math.abs(process.grown)),
            size(process.swap)].forEach((text, i) => write(row.children[i], text));
    });
    section.querySelector("table").hidden = processes.length === 0;
    byId("no-processes").hidden = processes.length > 0;
    for (const button of section.querySelectorAll("[data-sort]"))
        if (button.dataset.sort === view.sort.key)
            button.parentElement.setAttribute("aria-sort", view.sort.sign < 0 ? "descending" : "ascending");
        else
            button.parentElement.removeAttribute("aria-sort");
}
