/*
    Jobs as files: a plugin of Premiere cannot start a program, so `vidrestore integrations watch` runs the jobs.
    After UXP's documentation of the modules fs and os.
*/
"use strict";
const fs = require("fs");
const os = require("os");

const JOBS = "vidrestore-jobs";
const RESULTS = "vidrestore";
const TEXT = { encoding: "utf-8" };

async function exists(path) {
    try {
        await fs.lstat(path);
        return true;
    } catch (error) {
        return false;
    }
}

async function makeFolder(path) {
    if (!(await exists(path))) { await fs.mkdir(path); }
}

/* {folder, stem, suffix}: the suffix with its dot. */
function partsOf(path) {
    const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
    const name = path.substring(cut + 1), dot = name.lastIndexOf(".");
    return {
        folder: path.substring(0, cut),
        stem: dot > 0 ? name.substring(0, dot) : name,
        suffix: dot > 0 ? name.substring(dot) : "",
    };
}

/* The result's path without number and suffix: the same for each run over this part of the file. */
function resultStem(source, first, last) {
    const { folder, stem } = partsOf(source);
    return `${folder}/${RESULTS}/${stem}_${first}-${last}`;
}

/* A new path. No file is ever replaced, because another project may use it. */
async function freeResult(source, first, last, codec) {
    const stem = resultStem(source, first, last), { folder, suffix } = partsOf(source);
    const end = codec === "prores" || codec === "dnxhr" ? ".mov" : suffix;
    await makeFolder(`${folder}/${RESULTS}`);
    let path = `${stem}${end}`, number = 1;
    while (await exists(path)) {
        number += 1;
        path = `${stem}_v${number}${end}`;
    }
    return path;
}

/* Writes a job and returns its folder. `arguments.txt` is complete when it appears. */
async function writeJob(words) {
    const jobs = `${os.homedir()}/${JOBS}`;
    await makeFolder(jobs);
    const folder = `${jobs}/${Date.now()}_${Math.floor(Math.random() * 1e9)}`;
    await fs.mkdir(folder);
    await fs.writeFile(`${folder}/arguments.new`, `${words.join("\n")}\n`, TEXT);
    await fs.rename(`${folder}/arguments.new`, `${folder}/arguments.txt`);
    return folder;
}

async function cancelJob(folder) {
    await fs.writeFile(`${folder}/cancel`, "", TEXT);
}

/* {state, thousandths, text}, or null while there is no status yet. */
async function readStatus(folder) {
    let text;
    try {
        text = await fs.readFile(`${folder}/status.txt`, TEXT);
    } catch (error) {
        return null;
    }
    const [state, thousandths, line] = text.split("\n");
    return { state, thousandths: Number(thousandths), text: line };
}

module.exports = { JOBS, RESULTS, cancelJob, freeResult, readStatus, resultStem, writeJob };
