// SPDX-License-Identifier: LGPL-2.1-or-later
// What is looked at, for all parts of the page: the looks that have come, and what was chosen of them.
export const view = {
    latest: null, // looks; the two differ while it is paused
    shown: null,
    mount: null, // by name
    meter: "available",
    at: null, // the moment of the graph that is pointed at; null: none
    sort: {key: "grown", sign: -1}, // of processes
    isPaused: false,
    isZoomed: false,
    changed: () => {} // draws the page anew
};

export function mountNow() {
    return view.shown && (view.shown.mounts.find(mount => mount.name === view.mount) || view.shown.mounts[0] || null);
}

export function choose(name) {
    view.mount = name;
    view.at = null;
    view.changed();
}

export function chooseMeter(meter) {
    view.meter = meter;
    view.changed();
}
