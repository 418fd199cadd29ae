// SPDX-License-Identifier: LGPL-2.1-or-later
// What stands above all: the state of the connection, the servers, and what is reached.
import {add, byId, list, write} from "./elements.js";
import {recordOf} from "./history.js";
import * as connection from "./connection.js";
import {choose, mountNow, view} from "./view.js";
import {moment, plain, size} from "./words.js";

let reached = new Set();

export function announce(look) {
    const before = reached, news = [];

    reached = new Set();
    for (const mount of look.mounts)
        for (const limit of mount.limits.filter(one => one.reached)) {
            const key = JSON.stringify([mount.name, limit.threshold, limit.meter, limit.op, limit.limit]);

            reached.add(key);
            if (!before.has(key))
                news.push((mount.name ? plain(mount.name) + ": " : "") + plain(limit.threshold) + " reached: " +
                    plain(limit.meter) + " " + limit.op + " " + size(limit.limit));
        }
    if (news.length > 0 || reached.size === 0)
        write(byId("news"), news.join("; "));
}

function putTitle() {
    const names = !view.latest ? [] : view.latest.mounts.flatMap(mount => mount.limits.filter(limit => limit.reached)
        .map(limit => plain(limit.threshold)));
    const unique = Array.from(new Set(names)), others = unique.length - 1;
    const more = others > 0 ? " and " + others + " more" : "";

    if (connection.isAway())
        document.title = "server away — memnotify";
    else
        document.title = unique.length > 0 ? "! " + unique[0] + more + " reached — memnotify" : "memnotify";
}

export function putState() {
    const state = byId("state"), mount = mountNow();
    const classes = connection.isLive() ? "state live" : connection.isAway() ? "state away" : "state";

    write(state, connection.text() + (view.isPaused ? "; paused" : ""));
    if (state.className !== classes)
        state.className = classes;
    byId("mount").classList.toggle("stale", !connection.isLive() || Boolean(mount && mount.lack));
    putTitle();
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

export function putTabs(now) {
    const tabs = byId("tabs"), mounts = view.shown.mounts, panel = byId("mount");

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

export function putHead(mount, sight) {
    const whose = mount.group ? "control group" : "machine", {total} = sight.meters;
    const state = mount.gone ? ", which has been removed" : total ? ", " + size(total) : "";

    write(byId("title"), "Memory of the " + whose + state + (mount.place ? ", from " + plain(mount.place) : ""));
    byId("simulated").hidden = !mount.simulated;
    byId("lack").hidden = !mount.lack;
    write(byId("lack"), !mount.lack ? "" : plain(mount.lack) + (recordOf(mount.name).sightMs === 0 ? "" :
        " — what is shown is of " + moment(recordOf(mount.name).sightMs, view.shown.time_ms)));
}
