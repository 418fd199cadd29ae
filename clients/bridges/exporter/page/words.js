// SPDX-License-Identifier: LGPL-2.1-or-later
// Words and numbers, as memnotify prints them.

// As the program prints it.
export function size(bytes) {
    let amount = bytes / 1024, unit = 0;

    while (amount >= 999.5 && unit < 5) {
        amount /= 1024;
        unit++;
    }
    return bytes === 0 ? "0" : amount.toFixed(amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0) + "KMGTPE"[unit];
}

export function round(bytes) {
    const text = size(bytes);

    return text.includes(".") ? text.replace(/\.?0+(?=[A-Z]$)/, "") : text;
}

// Controls in octal, as the program shows them, and what would turn round the text that follows.
export function plain(text) {
    return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, character =>
        Array.from(new TextEncoder().encode(character), byte => "\\" + byte.toString(8).padStart(3, "0")).join(""));
}

export function shorten(text, length) {
    const characters = Array.from(text);

    return characters.length > length ? characters.slice(0, length - 1).join("") + "…" : text;
}

export function percent(share) {
    return (share * 100).toFixed(0) + "%";
}

function two(number) {
    return String(number).padStart(2, "0");
}

export function clock(ms, hasSeconds = true) {
    const date = new Date(ms), minutes = two(date.getHours()) + ":" + two(date.getMinutes());

    return hasSeconds ? minutes + ":" + two(date.getSeconds()) : minutes;
}

function day(ms) {
    const date = new Date(ms);

    return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate());
}

// The day is told where it is another.
export function moment(ms, now) {
    return (day(ms) === day(now) ? "" : day(ms) + " ") + clock(ms);
}

export function limitText(limit) {
    return plain(limit.threshold) + " " + limit.op + " " + size(limit.limit);
}
