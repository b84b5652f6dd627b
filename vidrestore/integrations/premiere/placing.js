/*
    Imports a result into the bin "vidrestore", and places it above its original in the sequence.

    Nothing of the user's is overwritten: the video goes to the lowest track above the original that is free at
    this time, or to a new one. The sound, which the original plays already, goes to a muted track that has only
    sound of results, or to a new muted one. Not verified without Premiere: that createOverwriteItemAction adds a
    track where the index equals the number of tracks, as the reference says of createInsertProjectItemAction.
*/
"use strict";
const ppro = require("premierepro");
const { RESULTS, resultStem } = require("./job_files.js");
const { itemsOf } = require("./selected_clips.js");

const BIN = "vidrestore";
const TOLERANCE_SECONDS = 0.002;

/* Places a result, and returns a sentence about it for the user. */
async function placeAbove(project, sequence, clip, part, output) {
    const bin = await findBin(project);
    const earlier = await findResult(bin, (path) => isResultOf(path, clip, part));
    if (earlier !== null && await isShown(sequence, clip, earlier.path)) {
        if (!(await earlier.item.changeMediaFilePath(output, true))) { throw new Error("its file cannot be changed"); }
        return "the last result is replaced";
    }
    if (!(await project.importFiles([output], true, ppro.ProjectItem.cast(bin), false))) {
        throw new Error("it cannot be imported");
    }
    const result = await findResult(bin, (path) => path === unified(output));
    if (result === null) { throw new Error("it is not in the bin"); }
    const offset = (clip.first - part.first) / clip.rate, length = (clip.last + 1 - clip.first) / clip.rate;
    run(project, () => result.item.createSetInOutPointsAction(
        ppro.TickTime.createWithSeconds(offset), ppro.TickTime.createWithSeconds(offset + length)));
    return await overwrite(project, sequence, clip, result);
}

async function overwrite(project, sequence, clip, result) {
    const video = await freeTrack(sequence, clip, "Video", clip.track + 1, async () => true);
    const tracks = await sequence.getAudioTrackCount();
    const audio = await freeTrack(sequence, clip, "Audio", 0, isForResults);
    const editor = ppro.SequenceEditor.getEditor(sequence);
    run(project, () => editor.createOverwriteItemAction(result.projectItem, clip.start, video, audio));
    if (audio === tracks && (await sequence.getAudioTrackCount()) > tracks) {
        await (await sequence.getAudioTrack(audio)).setMute(true);
    }
    if (!(await isShown(sequence, clip, result.path))) {
        return `restored, in the bin ${BIN}; place it above the clip by hand`;
    }
    return `restored, on track V${video + 1}`;
}

/* Runs an action as one undo step. Actions are created and executed while the project is locked. */
function run(project, makeAction) {
    let done = false;
    project.lockedAccess(() => {
        done = project.executeTransaction((compound) => { compound.addAction(makeAction()); }, "vidrestore");
    });
    if (!done) { throw new Error("the change was refused"); }
}

async function findBin(project) {
    const root = await project.getRootItem();
    for (let attempt = 0; attempt < 2; attempt += 1) {
        for (const item of await root.getItems()) {
            const folder = item.name === BIN ? ppro.FolderItem.cast(item) : null;
            if (folder) { return folder; }
        }
        if (attempt === 0) { run(project, () => root.createBinAction(BIN, false)); }
    }
    throw new Error(`there is no bin ${BIN}`);
}

/* The first item of the bin whose path fits, as {item, projectItem, path}; else null. */
async function findResult(bin, isIt) {
    for (const projectItem of await bin.getItems()) {
        const item = ppro.ClipProjectItem.cast(projectItem);
        const path = item ? unified(await item.getMediaFilePath()) : "";
        if (item && isIt(path)) { return { item, projectItem, path }; }
    }
    return null;
}

/* Whether the path is a result of an earlier run over the same frames. */
function isResultOf(path, clip, part) {
    const stem = unified(resultStem(clip.path, part.first, part.last));
    return path.startsWith(stem) && (/^(_v\d+)?\.[^.\/]+$/).test(path.substring(stem.length));
}

function unified(path) { return String(path).replace(/\\/g, "/"); }

/* Whether a track above shows this file at the clip's beginning. */
async function isShown(sequence, clip, path) {
    for (let track = clip.track + 1; track < (await sequence.getVideoTrackCount()); track += 1) {
        for (const item of await itemsOf(await sequence.getVideoTrack(track))) {
            const start = await item.getStartTime();
            if (Math.abs(start.seconds - clip.start.seconds) < TOLERANCE_SECONDS &&
                (await pathOf(item)) === path) { return true; }
        }
    }
    return false;
}

/* Index of the lowest track from `from` on that may be used and is free at the clip's time; else a new one. */
async function freeTrack(sequence, clip, kind, from, mayBeUsed) {
    const count = await sequence[`get${kind}TrackCount`]();
    for (let index = from; index < count; index += 1) {
        const track = await sequence[`get${kind}Track`](index);
        if ((await mayBeUsed(track)) && (await isFree(track, clip))) { return index; }
    }
    return count;
}

async function isFree(track, clip) {
    for (const item of await itemsOf(track)) {
        const start = await item.getStartTime(), end = await item.getEndTime();
        if (start.seconds < clip.end.seconds - TOLERANCE_SECONDS &&
            end.seconds > clip.start.seconds + TOLERANCE_SECONDS) { return false; }
    }
    return true;
}

/* Whether the track is muted and has only sound of results. */
async function isForResults(track) {
    const items = await itemsOf(track);
    if (items.length === 0 || !(await track.isMuted())) { return false; }
    for (const item of items) {
        if (!(await pathOf(item)).includes(`/${RESULTS}/`)) { return false; }
    }
    return true;
}

async function pathOf(item) {
    const clip = ppro.ClipProjectItem.cast(await item.getProjectItem());
    return clip ? unified(await clip.getMediaFilePath()) : "";
}

module.exports = { placeAbove };
