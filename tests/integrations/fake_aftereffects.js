/*
    A fake of After Effects' objects, by Adobe's scripting guide, on Node's files and processes.
    usage: node fake_aftereffects.js SCRIPT PLAN.json
    PLAN: {layers: [{name, file, still, id}], selection: [...], cancel_at, refuses_files, refuses_proxy, settings}
    It prints what the script did as JSON: proxies by name, what the palette said, and how often it was asked.
*/
"use strict";
const fs = require("fs"), os = require("os"), path = require("path"), vm = require("vm");
const { execSync } = require("child_process");
const plan = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));
const done = { proxies: {}, shown: [], steps: 0, undo: 0 };

class File {
    constructor(name) { this.fsName = path.resolve(name); }
    get name() { return encodeURI(path.basename(this.fsName)); }
    get parent() { return new Folder(path.dirname(this.fsName)); }
    get exists() { return fs.existsSync(this.fsName); }
    open(mode) {
        if (mode === "w" && plan.refuses_files) { return false; }
        this.mode = mode; this.text = ""; return mode === "w" || this.exists;
    }
    write(text) { this.text += text; return true; }
    read() { return fs.readFileSync(this.fsName, "utf8"); }
    close() { if (this.mode === "w") { fs.writeFileSync(this.fsName, this.text); } }
}
class Folder {
    constructor(name) { this.fsName = path.resolve(name); }
    get exists() { return fs.existsSync(this.fsName); }
    create() { try { fs.mkdirSync(this.fsName); return true; } catch (error) { return false; } }
    static get temp() { return new Folder(plan.temp || os.tmpdir()); }
}
class Control {
    constructor(kind, values) {
        this.kind = kind; this.values = values; this.children = []; this.preferredSize = {}; this.text = "";
        this.selectionIndex = 0;
    }
    set selection(index) { this.selectionIndex = index; }
    get selection() { return { text: this.values[this.selectionIndex] }; }
    set value(percent) { done.shown.push(percent); }
    add(kind, bounds, values) {
        const child = new Control(kind, values);
        if (typeof values === "string") { child.text = values; }
        this.children.push(child);
        return child;
    }
    all() { return [this, ...this.children.flatMap((child) => child.all())]; }
    show() { windows.push(this); }
}
class Window extends Control { constructor(kind, title) { super(kind, title); } }
const windows = [];
function footage(values) {
    return {
        id: values.id, name: values.name, hasVideo: true,
        mainSource: values.file === null ? {} : { file: new File(values.file), isStill: Boolean(values.still) },
        setProxy(file) {
            if (plan.refuses_proxy) { throw new Error("cannot import"); }
            if (!file.exists) { throw new Error("no such file"); }
            done.proxies[values.name] = file.fsName;
        },
    };
}
const tasks = new Map();
const app = {
    project: {
        activeItem: { selectedLayers: (plan.layers || []).map((layer) => ({ source: footage(layer) })) },
        selection: (plan.selection || []).map(footage),
    },
    scheduleTask(code) { tasks.set(tasks.size + 1, code); return tasks.size; },
    cancelTask(number) { tasks.delete(number); },
    beginUndoGroup() { done.undo += 1; },
    endUndoGroup() { done.undo -= 1; },
};
const context = vm.createContext({
    app, File, Folder, Window, decodeURI,
    $: { global: {} },
    system: { callSystem(line) { done.line = line; return execSync(line, { encoding: "utf8" }); } },
});
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context, { filename: process.argv[2] });
const [palette] = windows, buttons = palette.all().filter((control) => control.kind === "button");
const lists = palette.all().filter((control) => control.kind === "dropdownlist");
(plan.choices || []).forEach((choice, index) => { lists[index].selection = choice; lists[index].onChange(); });
buttons[0].onClick();
buttons[0].onClick();
const limit = Date.now() + 240000;
(function turn() {
    for (const code of [...tasks.values()]) {
        done.steps += 1;
        vm.runInContext(code, context);
        if (plan.cancel_at === done.steps) { buttons[1].onClick(); }
    }
    if (tasks.size > 0 && Date.now() < limit) { setTimeout(turn, 100); return; }
    done.log = palette.log.text;
    done.running = tasks.size;
    console.log(JSON.stringify(done));
}());
