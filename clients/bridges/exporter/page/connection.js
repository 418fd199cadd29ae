// SPDX-License-Identifier: LGPL-2.1-or-later
// The way to the server. EventSource would give up on an answer that is no stream, and wait for ever where a connection is
// dead.
import {view} from "./view.js";
import {moment} from "./words.js";

const RETRY_MS = 1000, RETRY_MS_MOST = 15000, SILENCE_MS_LEAST = 10000;

let source = null, tries = 0, retry = 0, silence = 0, state = "connecting", take = null, changed = null;

// take() is given each look; changed() is called when the connection is another, or there is something new.
export function begin(takeLook, tellChange) {
    take = takeLook;
    changed = tellChange;
    open();
}

function close() {
    clearTimeout(retry);
    clearTimeout(silence);
    if (source)
        source.close();
    source = null;
}

function wait() {
    clearTimeout(silence);
    silence = setTimeout(lose, Math.max(SILENCE_MS_LEAST, view.latest ? view.latest.interval_ms * 3 : 0));
}

function lose() {
    close();
    state = "away";
    retry = setTimeout(open, Math.min(RETRY_MS * 2 ** tries++, RETRY_MS_MOST));
    changed();
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
    changed();
}

export function open() {
    close();
    source = new EventSource("events");
    source.onmessage = hear;
    source.onerror = lose;
    wait();
    changed();
}

export function sleep() {
    close();
    state = "asleep";
    changed();
}

export function text() {
    if (state === "live")
        return "live, every " + view.latest.interval_ms / 1000 + " s";
    if (state !== "away")
        return state;
    if (tries === 1 && view.latest)
        return "reconnecting";
    return "server away" + (view.latest ? ": last seen " + moment(view.latest.time_ms, Date.now()) : "");
}

export const isLive = () => state === "live";
export const isAway = () => state === "away";
export const isAsleep = () => state === "asleep";
