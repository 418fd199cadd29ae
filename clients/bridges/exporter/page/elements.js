// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements of the page.

const SVG = "http://www.w3.org/2000/svg";

export const byId = id => document.getElementById(id);

export function add(parent, tag, className) {
    const element = parent.appendChild(document.createElement(tag));

    element.className = className || "";
    return element;
}

export function draw(parent, tag, attributes) {
    const element = parent.appendChild(document.createElementNS(SVG, tag));

    for (const key of Object.keys(attributes))
        element.setAttribute(key, attributes[key]);
    return element;
}

// What is the same is left alone, so that it stays selected and is not read out again.
export function write(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

// As many children as items. Those that are there stay, and with them where the focus is.
export function list(parent, items, build, fill) {
    while (parent.children.length > items.length)
        parent.lastElementChild.remove();
    while (parent.children.length < items.length)
        build(parent);
    items.forEach((item, i) => fill(parent.children[i], item, i));
}
