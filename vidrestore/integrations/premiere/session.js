/*
    A run over the selected clips: restores them one after the other, and places each above its original.
*/
"use strict";
const { cancelJob, freeResult, readStatus, writeJob } = require("./job_files.js");
const { activeSequence, selectedClips } = require("./selected_clips.js");
const { placeAbove } = require("./placing.js");

const PATIENT_STEPS = 10;

class Session {
    constructor(say, show) {
        this.say = say;
        this.show = show;
        this.waiting = [];
        this.current = null;
    }

    /* Finds the clips; starts no job. */
    async begin(settings) {
        const { project, sequence } = await activeSequence();
        if (sequence === null) {
            this.say("open a sequence and select clips in it");
            return;
        }
        const handles = Number(settings.handles);
        if (!Number.isInteger(handles) || handles < 0) {
            this.say("handles are a number of frames, such as 12");
            return;
        }
        const clips = await selectedClips(sequence, this.say);
        if (clips.length === 0) { this.say("select clips of video files in the sequence"); }
        for (const clip of clips) { this.waiting.push({ project, sequence, clip, settings, handles }); }
    }

    /* Does the next piece of work; returns whether there is more. Called by a timer. */
    async step() {
        if (this.current === null) {
            if (this.waiting.length === 0) { return false; }
            await this.start(this.waiting.shift());
            return true;
        }
        const status = await readStatus(this.current.folder);
        if (status === null) {
            this.current.steps += 1;
            if (this.current.steps >= PATIENT_STEPS) {
                this.show(0, "waiting: start this in a terminal: vidrestore integrations watch");
            }
        } else if (status.state === "running" || status.state === "queued") {
            this.show(status.thousandths, `${this.current.clip.name}: ${status.text}`);
        } else {
            const ended = this.current;
            this.current = null;
            await this.finish(ended, status);
        }
        return true;
    }

    async cancel() {
        this.waiting = [];
        if (this.current === null) { return; }
        const { folder, clip } = this.current;
        await cancelJob(folder);
        if ((await readStatus(folder)) === null) {
            this.say(`${clip.name}: cancelled`);
            this.current = null;
        }
    }

    /* After an error of Premiere: the clip's job continues without this session, which takes the next clip. */
    forget() {
        this.current = null;
    }

    async start({ project, sequence, clip, settings, handles }) {
        const part = partOf(clip, handles);
        const output = await freeResult(clip.path, part.first, part.last, settings.codec);
        const folder = await writeJob([
            "restore", clip.path, output, "--start", part.start, "--end", part.end,
            "--strength", settings.strength, "--fidelity", settings.fidelity, "--faces", settings.faces,
            "--codec", settings.codec,
        ]);
        this.current = { project, sequence, clip, part, output, folder, steps: 0 };
    }

    async finish({ project, sequence, clip, part, output }, status) {
        if (status.state !== "done") {
            this.say(`${clip.name}: ${status.text}`);
            return;
        }
        try {
            this.say(`${clip.name}: ${await placeAbove(project, sequence, clip, part, output)}`);
        } catch (error) {
            this.say(`${output} is restored, but Premiere did not take it: ${error.message || error}`);
        }
    }
}

/* The frames to restore, and the command's times: a quarter of a frame early, so that rounding drops no frame. */
function partOf(clip, handles) {
    const first = Math.max(clip.first - handles, 0), last = clip.last + handles;
    return {
        first,
        last,
        start: Math.max((first - 0.25) / clip.rate, 0).toFixed(6),
        end: ((last + 0.75) / clip.rate).toFixed(6),
    };
}

module.exports = { Session };
