/*
    The selected clips of the active sequence that can be restored.
    After Adobe's reference of Premiere's classes Project, Sequence, VideoTrack, VideoClipTrackItem, ClipProjectItem.
*/
"use strict";
const ppro = require("premierepro");

const PICTURES = /\.(png|jpe?g|tiff?|exr|dpx|tga|bmp|psd|gif|ai|heic|avif|webp)$/i;

async function activeSequence() {
    const project = await ppro.Project.getActiveProject();
    const sequence = project ? await project.getActiveSequence() : null;
    return { project, sequence: sequence || null };
}

/*
    [{name, path, track, start, end, rate, first, last}]: start and end are times in the sequence (TickTime);
    first and last are frames of the file, both included. Clips that cannot be restored are reported by `say`.
*/
async function selectedClips(sequence, say) {
    const clips = [];
    for (let track = 0; track < (await sequence.getVideoTrackCount()); track += 1) {
        for (const item of await itemsOf(await sequence.getVideoTrack(track))) {
            if (!(await item.getIsSelected())) { continue; }
            const name = await item.getName(), media = await mediaOf(item);
            if (typeof media === "string") {
                say(`${name}: ${media}`);
                continue;
            }
            clips.push({ name, track, ...media });
        }
    }
    return clips;
}

async function itemsOf(track) {
    return await track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
}

/* The file and times of a clip, or a sentence why it cannot be restored. */
async function mediaOf(item) {
    if (await item.isAdjustmentLayer()) { return "an adjustment layer has no file"; }
    if ((await item.getSpeed()) !== 1 || (await item.isSpeedReversed())) {
        return "a clip at another speed is left out: restore its file, and replace it";
    }
    const clip = ppro.ClipProjectItem.cast(await item.getProjectItem());
    if (!clip || (await clip.isSequence()) || (await clip.isMulticamClip()) || (await clip.isMergedClip())) {
        return "it is not a clip of a single file";
    }
    const path = await clip.getMediaFilePath();
    if (!path || (await clip.isOffline())) { return "its file is offline"; }
    if (PICTURES.test(path)) { return "pictures and sequences of pictures are left out"; }
    const rate = exactRate(await (await clip.getFootageInterpretation()).getFrameRate());
    if (!(rate > 0)) { return "its frame rate is not known"; }
    const [start, end, from, to] = [
        await item.getStartTime(), await item.getEndTime(), await item.getInPoint(), await item.getOutPoint(),
    ];
    const first = Math.round(from.seconds * rate);
    return { path, start, end, rate, first, last: Math.max(Math.round(to.seconds * rate) - 1, first) };
}

/* 23.976 is 24000/1001. */
function exactRate(value) {
    const whole = Math.round(value * 1.001);
    return Math.abs(value - whole / 1.001) < 0.002 ? whole / 1.001 : value;
}

module.exports = { activeSequence, itemsOf, selectedClips };
