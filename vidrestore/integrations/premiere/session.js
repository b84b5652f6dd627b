/*
    A run over the selected clips: one after the other is restored, and placed above its original.
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

    /* Looks for the clips; nothing runs yet. */
    async begin(wishes) {
        const { project, sequence } = await activeSequence();
        if (sequence === null) {
            this.say("open a sequence and select clips in it");
            return;
        }
        const handles = Number(wishes.handles);
        if (!Number.isInteger(handles) || handles < 0) {
            this.say("handles are a number of frames, such as 12");
            return;
        }
        const clips = await selectedClips(sequence, this.say);
        if (clips.length === 0) { this.say("select clips of video files in the sequence"); }
        for (const clip of clips) { this.waiting.push({ project, sequence, clip, wishes, handles }); }
    }

    /* Whether there is more to do. Called again and again. */
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

    /* After an error of Premiere: the job of the clip goes on by itself, the others follow. */
    forget() {
        this.current = null;
    }

    async start({ project, sequence, clip, wishes, handles }) {
        const part = partOf(clip, handles);
        const output = await freeResult(clip.path, part.first, part.last, wishes.codec);
        const folder = await writeJob([
            "restore", clip.path, output, "--start", part.start, "--end", part.end,
            "--strength", wishes.strength, "--fidelity", wishes.fidelity, "--faces", wishes.faces,
            "--codec", wishes.codec,
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

/* The frames to restore, and the command's times: a quarter of a frame early, so that rounding loses none. */
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
