// SPDX-License-Identifier: LGPL-2.1-or-later
// What meters mean: of what they are a part, and which can be drawn.
import {view} from "./view.js";

const FIRST = ["available", "used", "swap_used"]; // what is asked for most

export function whole(sight, meter) {
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

export function shareOf(sight, meter) {
    const all = whole(sight, meter);

    return all > 0 ? Math.min(sight.meters[meter] / all, 1) : null;
}

export function heat(meter, share) {
    const use = meter === "available" ? 1 - share : share;

    if (share === null || !["available", "used", "swap_used"].includes(meter))
        return "";
    return use >= 0.9 ? "hot" : use >= 0.75 ? "warm" : "easy";
}

export function metersOf(sight) {
    const names = Object.keys(sight.meters);

    return FIRST.filter(name => names.includes(name)).concat(names.filter(name => !FIRST.includes(name)));
}

// Those that change, and of which there can be something.
export function drawable(sight) {
    return metersOf(sight).filter(name => name !== "total" && name !== "swap_total" && whole(sight, name) > 0);
}

export function meterOf(sight) {
    const names = drawable(sight);

    return names.includes(view.meter) ? view.meter : names[0] || "available";
}

export function help(meter) {
    return view.shown && Object.hasOwn(view.shown.help, meter) ? view.shown.help[meter] : "";
}

export function colour(meter) {
    return help(meter) && !meter.includes("total") ? meter : "plain";
}
