/*
    The panel in Premiere: settings, progress, messages. After Adobe's UXP documentation for Premiere 25.6.
*/
"use strict";
const { Session } = require("./session.js");

const EVERY_MS = 500;
let timer = null;
let busy = false;

function field(name) { return document.getElementById(name); }

function say(sentence) {
    const log = field("log");
    log.textContent = `${log.textContent}${sentence}\n`;
}

function show(thousandths, text) {
    field("bar").value = Math.max(thousandths, 0);
    field("status").textContent = text;
}

const session = new Session(say, show);

async function step() {
    if (busy) { return; }
    busy = true;
    try {
        if (!(await session.step())) { stop(); }
    } catch (error) {
        say(`the run stopped: ${error.message || error}`);
        session.forget();
    } finally {
        busy = false;
    }
}

function stop() {
    clearInterval(timer);
    timer = null;
    show(0, "");
}

async function start() {
    if (timer !== null || busy) { return; }
    const settings = {};
    for (const name of ["strength", "fidelity", "faces", "codec", "handles"]) {
        settings[name] = String(field(name).value).trim();
    }
    busy = true;
    try {
        await session.begin(settings);
    } catch (error) {
        say(`the run cannot start: ${error.message || error}`);
        return;
    } finally {
        busy = false;
    }
    timer = setInterval(step, EVERY_MS);
}

async function cancel() {
    try {
        await session.cancel();
    } catch (error) {
        say(`cannot cancel: ${error.message || error}`);
    }
}

function connect() {
    field("restore").addEventListener("click", start);
    field("cancel").addEventListener("click", cancel);
}

if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", connect);
} else {
    connect();
}
