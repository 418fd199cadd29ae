// SPDX-License-Identifier: LGPL-2.1-or-later
// What `memnotify top` shows, in a browser: each message of /events is a look at all servers. Names, which are anybody's,
// become text and never markup.
//
//   words, elements    what is printed, and where
//   view               what is looked at, which all share
//   history, meters    what was seen, and what it means
//   connection         the way to the server
//   head, tables, graph    the parts of the page
//
// A look is {interval_ms, time_ms, help: {METER: sentence}, mounts, events, processes}; amounts are bytes, dates milliseconds.
//
//   mounts     [{name, place, lack: null or a sentence, group, gone, simulated, meters: {METER: amount},
//              parts: {METER: "memory", "swap" or "all"}, limits: [{threshold, meter, op, limit, reached, crossings}],
//              limits_left_out, pressure: {some, full: {avg10, avg60, avg300, total_us}}}]; meters are empty while nothing is
//              known; limits and pressure are only there where the server tells
//   events     [{mount, time_ms, threshold, meter, word, bytes, limit_bytes}], the latest last, each once for a connection
//   processes  [{pid, name, rss, grown, swap}], or null where they are not shown
import * as connection from "./connection.js";
import {byId} from "./elements.js";
import {point, putGraph, step} from "./graph.js";
import {announce, putHead, putState, putTabs} from "./head.js";
import {recordOf, remember} from "./history.js";
import {putEvents, putLimits, putMeters, putProcesses, putStalls} from "./tables.js";
import {chooseMeter, mountNow, view} from "./view.js";

const UNSEEN_MS = 60000;

// Not every server tells of thresholds.
function take(look) {
    for (const mount of look.mounts)
        mount.limits ??= [];
    remember(look);
    view.latest = look;
    announce(look);
    if (!view.isPaused)
        view.shown = look;
}

// While a server is away, what was known last stays.
function put() {
    const mount = mountNow();

    putState();
    if (!view.shown)
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
    putStalls(sight.pressure);
    putEvents(mount);
    putGraph(mount, sight);
}

function turn(button, isOn) {
    button.setAttribute("aria-pressed", String(isOn));
}

function pause() {
    view.isPaused = !view.isPaused;
    turn(byId("pause"), view.isPaused);
    if (!view.isPaused)
        view.shown = view.latest;
    view.changed();
}

function listen() {
    const graph = byId("graph");
    let rest = 0;

    byId("pause").addEventListener("click", pause);
    byId("zoom").addEventListener("click", () => {
        view.isZoomed = !view.isZoomed;
        turn(byId("zoom"), view.isZoomed);
        view.changed();
    });
    byId("meter").addEventListener("change", event => chooseMeter(event.target.value));
    byId("span").addEventListener("change", put);
    for (const button of document.querySelectorAll("[data-sort]"))
        button.addEventListener("click", () => {
            const key = button.dataset.sort;

            view.sort = {key, sign: key === view.sort.key ? -view.sort.sign : -1};
            view.changed();
        });
    graph.addEventListener("pointermove", point);
    graph.addEventListener("pointerdown", point);
    graph.addEventListener("pointerleave", event => {
        if (event.pointerType === "mouse")
            step("Escape");
    });
    graph.addEventListener("keydown", event => {
        if (["ArrowLeft", "ArrowRight", "Home", "End", "Escape"].includes(event.key) && view.shown) {
            event.preventDefault();
            step(event.key);
        }
    });
    new ResizeObserver(() => view.changed()).observe(graph);
    // A browser may keep a page that was left, with its connection, to return to.
    window.addEventListener("pagehide", connection.sleep);
    window.addEventListener("pageshow", () => {
        if (connection.isAsleep() && !document.hidden)
            connection.open();
    });
    document.addEventListener("visibilitychange", () => {
        clearTimeout(rest);
        if (document.hidden)
            rest = setTimeout(connection.sleep, UNSEEN_MS);
        else if (connection.isAsleep())
            connection.open();
    });
}

view.changed = put;
listen();
connection.begin(take, put);
