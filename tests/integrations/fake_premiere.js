/*
    A fake of Premiere's UXP modules, by Adobe's reference for 25.6 and 26.3, on Node's files.
    usage: node fake_premiere.js PLUGIN_FOLDER PLAN.json
    PLAN: {home, video: [[{name, path, start, end, in, selected, speed, rate, kind}]], audio: [same], muted: [index],
           settings, press_cancel_at, again, refuses_import}; times in seconds
    It prints as JSON what the sequence, the bins and the panel show in the end.
*/
"use strict";
const nodeFs = require("fs"), path = require("path"), Module = require("module");
const plan = JSON.parse(nodeFs.readFileSync(process.argv[3], "utf8"));
const log = { undo: [], lost: [] };
let locked = false, compound = null;

class TickTime {
    constructor(seconds) { this.seconds = seconds; }
    static createWithSeconds(seconds) { return new TickTime(seconds); }
}
class Action { constructor(execute) { this.execute = execute; } }
function action(execute) {
    if (!locked) { throw new Error("actions are created within lockedAccess"); }
    return new Action(execute);
}

class ProjectItem {
    constructor(name) { this.name = name; }
    static cast(item) { return item.projectItem || item; }
}
class Clip extends ProjectItem {
    constructor(values) { super(values.name || path.basename(values.path)); Object.assign(this, values); }
    async isSequence() { return this.kind === "sequence"; }
    async isMulticamClip() { return false; }
    async isMergedClip() { return false; }
    async isOffline() { return !nodeFs.existsSync(this.path); }
    async getMediaFilePath() { return this.path; }
    async getFootageInterpretation() { return { getFrameRate: () => this.rate || 25 }; }
    async changeMediaFilePath(newPath) { this.path = newPath; return nodeFs.existsSync(newPath); }
    createSetInOutPointsAction(from, to) { return action(() => { this.from = from.seconds; this.to = to.seconds; }); }
    static cast(item) { return item instanceof Clip ? item : null; }
}
class Folder extends ProjectItem {
    constructor(name) { super(name); this.items = []; }
    async getItems() { return this.items; }
    createBinAction(name) { return action(() => { this.items.push(new Folder(name)); }); }
    static cast(item) { return item instanceof Folder ? item : null; }
}
class TrackItem {
    constructor(values, clip) { Object.assign(this, values); this.clip = clip; }
    async getName() { return this.name; }
    async getIsSelected() { return Boolean(this.selected); }
    async isAdjustmentLayer() { return this.kind === "adjustment"; }
    async getSpeed() { return this.speed || 1; }
    async isSpeedReversed() { return 0; }
    async getProjectItem() { return this.clip; }
    async getStartTime() { return new TickTime(this.start); }
    async getEndTime() { return new TickTime(this.end); }
    async getInPoint() { return new TickTime(this.in); }
    async getOutPoint() { return new TickTime(this.in + this.end - this.start); }
}
class Track {
    constructor(items) { this.items = items; this.muted = false; }
    getTrackItems() { return this.items.slice(); }
    async isMuted() { return this.muted; }
    async setMute(muted) { this.muted = muted; return true; }
    /* As an overwrite does: what is at this time is gone. */
    overwrite(item) {
        const gone = this.items.filter((other) => other.start < item.end && other.end > item.start);
        log.lost.push(...gone.map((other) => other.name));
        this.items = this.items.filter((other) => !gone.includes(other)).concat([item]);
    }
}

const clips = new Map(), root = new Folder("root");
function clipOf(values) {
    if (!clips.has(values.path)) {
        clips.set(values.path, new Clip(values));
        root.items.push(clips.get(values.path));
    }
    return clips.get(values.path);
}
function tracksOf(lists) {
    return lists.map((items) => new Track(items.map((item) => new TrackItem(item, clipOf(item)))));
}
const sequence = {
    video: tracksOf(plan.video), audio: tracksOf(plan.audio || []),
    async getVideoTrackCount() { return this.video.length; },
    async getVideoTrack(index) { return this.video[index]; },
    async getAudioTrackCount() { return this.audio.length; },
    async getAudioTrack(index) { return this.audio[index]; },
};
(plan.muted || []).forEach((index) => { sequence.audio[index].muted = true; });
const project = {
    async getActiveSequence() { return plan.no_sequence ? null : sequence; },
    async getRootItem() { return root; },
    lockedAccess(callback) { locked = true; try { callback(); } finally { locked = false; } },
    executeTransaction(callback, name) {
        const actions = [];
        compound = { addAction(one) { actions.push(one); return true; } };
        callback(compound);
        actions.forEach((one) => one.execute());
        log.undo.push(name);
        return true;
    },
    async importFiles(paths, suppress, bin) {
        if (plan.refuses_import) { return false; }
        paths.forEach((file) => bin.items.push(new Clip({ path: file, from: 0, to: 1e9 })));
        return true;
    },
};
const editor = {
    createOverwriteItemAction(clip, time, video, audio) {
        return action(() => {
            for (const [tracks, index] of [[sequence.video, video], [sequence.audio, audio]]) {
                while (tracks.length <= index) { tracks.push(new Track([])); }
                const end = time.seconds + clip.to - clip.from;
                tracks[index].overwrite(new TrackItem(
                    { name: clip.name, start: time.seconds, end, in: clip.from, kind: "result" }, clip));
            }
        });
    },
};
const modules = {
    premierepro: {
        TickTime, ProjectItem, ClipProjectItem: Clip, FolderItem: Folder,
        Project: { async getActiveProject() { return project; } },
        SequenceEditor: { getEditor: () => editor },
        Constants: { TrackItemType: { CLIP: 1 } },
    },
    fs: Object.fromEntries(["lstat", "mkdir", "writeFile", "readFile", "rename"].map(
        (name) => [name, (...words) => nodeFs.promises[name](...words)])),
    os: { homedir: () => plan.home },
};
const load = Module._load;
Module._load = (name, ...rest) => modules[name] || load(name, ...rest);

const fields = {};
function field(id) {
    fields[id] = fields[id] || {
        textContent: "", value: (plan.settings || {})[id],
        addEventListener(kind, listener) { this[kind] = listener; },
    };
    return fields[id];
}
Object.entries({ strength: "1", fidelity: "auto", faces: "all", codec: "match", handles: "12" }).forEach(
    ([id, value]) => { field(id).value = (plan.settings || {})[id] || value; });
const timers = new Set();
let steps = 0;
global.document = { readyState: "complete", getElementById: field };
global.setInterval = (listener) => { timers.add(listener); return listener; };
global.clearInterval = (listener) => { timers.delete(listener); };
require(path.join(process.argv[2], "panel.js"));

async function press(times) {
    for (let press = 0; press < times; press += 1) {
        await fields.restore.click();
        const limit = Date.now() + 240000;
        while (timers.size > 0 && Date.now() < limit) {
            for (const listener of [...timers]) { await listener(); }
            steps += 1;
            if (steps === plan.press_cancel_at) { await fields.cancel.click(); }
            await new Promise((resolve) => { setTimeout(resolve, 50); });
        }
    }
}
function shown(tracks) {
    return tracks.map((track) => track.items.map((item) => ({
        name: item.name, start: item.start, end: item.end, in: item.in, file: item.clip.path,
    })));
}
press(plan.presses || 1).then(() => {
    const bin = root.items.find((item) => item.name === "vidrestore");
    console.log(JSON.stringify({
        ...log, steps, running: timers.size, log: fields.log ? fields.log.textContent : "",
        video: shown(sequence.video), audio: shown(sequence.audio),
        muted: sequence.audio.map((track) => track.muted),
        bin: bin ? bin.items.map((item) => item.path) : [],
    }));
});
