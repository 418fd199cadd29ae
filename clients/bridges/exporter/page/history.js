// SPDX-License-Identifier: LGPL-2.1-or-later
// What has been seen in the last hour, also while the server is away.
import {view} from "./view.js";

const HOUR_MS = 3600000, POINTS_MAX = 7200, EVENTS_MAX = 100, SAME_MS = 20;

const records = new Map(); // of servers, by name: what is known of each, and since when

export function recordOf(name) {
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

export function remember(look) {
    for (const mount of look.mounts)
        addPoint(recordOf(mount.name), look, mount);
    for (const event of look.events)
        addEvent(event, look.time_ms);
    for (const name of records.keys())
        if (!look.mounts.some(mount => mount.name === name))
            records.delete(name);
}

export function eventsOf(mount) {
    return recordOf(mount.name).events.filter(event => event.seenMs <= view.shown.time_ms);
}

export function pointsOf(mount, meter) {
    return recordOf(mount.name).points.filter(point => point.ms <= view.shown.time_ms).map(point => ({
        ms: point.ms, untilMs: point.untilMs,
        value: point.meters && Object.hasOwn(point.meters, meter) ? point.meters[meter] : null
    }));
}
