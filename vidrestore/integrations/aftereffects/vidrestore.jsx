/*
    Adobe After Effects: restores the faces in the footage of selected layers, or of selected project items.
    Each whole file is restored in a separate process, and the result becomes the proxy of its footage: layers,
    keys and effects do not change, and the proxy's switch shows the original again.

    ExtendScript (ECMAScript 3), after Adobe's After Effects scripting guide. Not verified without After Effects:
    that system.callSystem returns when the started program ends, and that app.scheduleTask works while a palette
    is open.
*/
(function (host) {
    "use strict";
    var PYTHON = "__VIDRESTORE_PYTHON__";
    var MODULE = "vidrestore.integrations.job_folder";
    var EVERY_MS = 500;
    var RESULTS = "vidrestore";

    var jobs = [];
    var current = null;
    var task = 0;
    var settings = { strength: "1", fidelity: "auto", faces: "all", codec: "match" };
    var window = null;

    /* The footage to restore: each selected item that has a video file, once. */
    function chosenFootage() {
        var found = [], seen = {}, items = [], index, comp = app.project.activeItem;
        if (comp && comp.selectedLayers) {
            for (index = 0; index < comp.selectedLayers.length; index += 1) {
                if (comp.selectedLayers[index].source) { items.push(comp.selectedLayers[index].source); }
            }
        }
        if (items.length === 0) {
            for (index = 0; index < app.project.selection.length; index += 1) {
                items.push(app.project.selection[index]);
            }
        }
        for (index = 0; index < items.length; index += 1) {
            if (!seen["id" + items[index].id] && isVideoFile(items[index])) {
                seen["id" + items[index].id] = true;
                found.push(items[index]);
            }
        }
        return found;
    }

    function isVideoFile(item) {
        var source = item.mainSource;
        return Boolean(source && source.file && source.file.exists && !source.isStill && item.hasVideo &&
            !isSequence(source.file.name));
    }

    /* A picture file whose footage is not a still is the first picture of a sequence. */
    function isSequence(name) {
        return (/\.(png|jpe?g|tiff?|exr|dpx|tga|bmp|psd)$/i).test(name);
    }

    /* A new file name in the folder of results next to the source: earlier results may be in use. */
    function resultFile(source) {
        var folder = new Folder(source.parent.fsName + "/" + RESULTS), number = 1, file;
        var dot = source.name.lastIndexOf("."), stem = decodeURI(source.name.substring(0, dot));
        var suffix = settings.codec === "prores" ? ".mov" : source.name.substring(dot);
        if (!folder.exists && !folder.create()) { return null; }
        do {
            file = new File(folder.fsName + "/" + stem + (number > 1 ? "_v" + number : "") + suffix);
            number += 1;
        } while (file.exists);
        return file;
    }

    function writeText(path, text) {
        var file = new File(path), written;
        file.encoding = "UTF-8";
        file.lineFeed = "Unix";
        if (!file.open("w")) { return false; }
        written = file.write(text);
        file.close();
        return written;
    }

    /* [state, thousandths, text], or null while there is no status yet. */
    function readStatus(folder) {
        var file = new File(folder + "/status.txt"), text;
        file.encoding = "UTF-8";
        if (!file.exists || !file.open("r")) { return null; }
        text = file.read();
        file.close();
        return text.split("\n");
    }

    function begin(item) {
        var output = resultFile(item.mainSource.file), folder, words;
        if (output === null) {
            say(item.name + ": its folder cannot be written");
            return null;
        }
        folder = new Folder(Folder.temp.fsName + "/vidrestore_" + new Date().getTime() + "_" + item.id);
        words = ["restore", item.mainSource.file.fsName, output.fsName, "--strength", settings.strength,
            "--fidelity", settings.fidelity, "--faces", settings.faces, "--codec", settings.codec];
        if (!folder.create() || !writeText(folder.fsName + "/arguments.txt", words.join("\n") + "\n")) {
            say(item.name + ": a script must be allowed to write files: Settings > Scripting & Expressions");
            return null;
        }
        system.callSystem('"' + PYTHON + '" -m ' + MODULE + ' "' + folder.fsName + '"');
        return { item: item, output: output, folder: folder.fsName };
    }

    /* Called by a timer until all jobs have ended. */
    function step() {
        var status;
        if (current === null) {
            if (jobs.length === 0) { stop(); return; }
            current = begin(jobs.shift());
            return;
        }
        status = readStatus(current.folder);
        if (status === null) { return; }
        if (status[0] === "running" || status[0] === "queued") {
            show(Number(status[1]), decodeURI(current.output.name) + ": " + status[2]);
            return;
        }
        finish(status);
        current = null;
    }

    function finish(status) {
        if (status[0] !== "done") {
            say(current.item.name + ": " + status[2]);
            return;
        }
        app.beginUndoGroup("vidrestore");
        try {
            current.item.setProxy(current.output);
            say(current.item.name + ": restored, as its proxy");
        } catch (error) {
            say(current.output.fsName + " is restored, but After Effects did not take it: " + error);
        }
        app.endUndoGroup();
    }

    function cancel() {
        jobs = [];
        if (current !== null) { writeText(current.folder + "/cancel", ""); }
    }

    function start() {
        if (task !== 0) { return; }
        jobs = chosenFootage();
        if (jobs.length === 0) {
            say("select layers or footage with a video file; sequences and stills are left out");
            return;
        }
        task = app.scheduleTask("$.global.vidrestore.step()", EVERY_MS, true);
    }

    function stop() {
        if (task !== 0) { app.cancelTask(task); }
        task = 0;
        show(0, "");
    }

    function say(sentence) {
        if (window === null) { host.vidrestoreSaid = sentence; return; }
        window.log.text = window.log.text + sentence + "\n";
    }

    function show(thousandths, text) {
        if (window === null) { return; }
        window.bar.value = Math.max(thousandths, 0) / 10;
        window.status.text = text;
    }

    function row(parent, label) {
        var group = parent.add("group");
        group.add("statictext", undefined, label).preferredSize.width = 120;
        return group;
    }

    function list(parent, label, values, take) {
        var control = row(parent, label).add("dropdownlist", undefined, values);
        control.selection = 0;
        control.onChange = function () { take(control.selection.text); };
    }

    function open() {
        var palette = new Window("palette", "vidrestore"), faces, buttons;
        list(palette, "Strength", ["1", "0.75", "0.5", "0.25"], function (v) { settings.strength = v; });
        list(palette, "Fidelity", ["auto", "0", "0.5", "1"], function (v) { settings.fidelity = v; });
        list(palette, "Codec", ["match", "prores"], function (v) { settings.codec = v; });
        faces = row(palette, "Faces (all, 0,2)").add("edittext", undefined, "all");
        faces.characters = 16;
        faces.onChange = function () { settings.faces = faces.text || "all"; };
        palette.bar = palette.add("progressbar", undefined, 0, 100);
        palette.status = palette.add("statictext", undefined, "");
        palette.status.characters = 50;
        palette.log = palette.add("edittext", undefined, "", { multiline: true, readonly: true });
        palette.log.preferredSize = [400, 100];
        buttons = palette.add("group");
        buttons.add("button", undefined, "Restore").onClick = start;
        buttons.add("button", undefined, "Cancel").onClick = cancel;
        palette.onClose = function () { cancel(); };
        window = palette;
        palette.show();
    }

    host.vidrestore = { step: step, start: start, cancel: cancel };
    open();
}($.global));
