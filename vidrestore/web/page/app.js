// The page: connects its parts. No library, no build step, nothing from elsewhere.
import { get, post } from './api.js';
import { attempt, byId, clock, count, fileName, say } from './elements.js';
import { markOpen, refreshFolder, showFiles } from './files.js';
import { connectTimeline, findPeople, forgetPeople, markEntries, markScene, showPeople, showScenes } from './people.js';
import { refresh, watchQueue } from './queue.js';
import { connectResult, hideResult, isShown, seek, showReport, showResult } from './result.js';
import { currentSettings, showScene, showScopes, watchSettings } from './settings.js';
import { openSidecar, useInspection } from './sidecar.js';
import { changeLength, closeViewer, connectDivider, isPreviewed, openViewer, showFrame, showPreview, shownTime } from './viewer.js';

let path = null;
let duration = 0;
let isPreviewing = false;
let isAskedAgain = false;

async function openVideo(chosen) {
  say(`opening ${fileName(chosen)} …`);
  const facts = await get('/api/video', { path: chosen });
  path = chosen;
  duration = facts.duration ?? 0;
  hideResult();
  byId('video-name').textContent = fileName(chosen);
  showFacts(facts);
  byId('output').value = chosen.replace(/(\.[^./]*)?$/, '-restored$1');
  byId('faces').value = 'all';
  byId('queue-job').disabled = false;
  forgetPeople();
  markOpen(fileName(chosen));
  byId('viewer').setAttribute('aria-busy', 'true');
  openViewer(path, facts);
  if (!facts.exact) readClock(chosen);
  await openSidecar(chosen);
  const known = await attempt(() => get('/api/people', { path: chosen }));
  if (path !== chosen) return;
  showFound(known?.inspection ?? null);
  byId('viewer').removeAttribute('aria-busy');
}

function showFacts(facts) {
  const length = facts.duration === null ? '' : `, ${facts.exact ? '' : 'about '}${clock(facts.duration)}`;
  byId('facts').textContent = `${facts.width} × ${facts.height}${length}, ${facts.frame_rate.toFixed(3)} frames/s, ${facts.codec}`;
}

// The length of a broadcast, whose clock may restart, is sure only when it was read to its end.
async function readClock(chosen) {
  const facts = await attempt(() => get('/api/video', { path: chosen, exact: 1 }));
  if (path !== chosen || !facts) return;
  showFacts(facts);
  if (Math.abs((facts.duration ?? 0) - duration) < 1) return;
  duration = facts.duration ?? 0;
  changeLength(path, facts);
  if (!isShown()) showFrame(path);
}

// Before a file is removed that may be open.
function closeVideo(removed) {
  if (path !== removed) return;
  path = null;
  hideResult();
  closeViewer();
  forgetPeople();
  byId('queue-job').disabled = true;
  byId('output').value = '';
  byId('video-name').textContent = 'Choose a video';
  byId('facts').textContent = '';
}

// What is known of the people and scenes: by an inspection, or by the sidecar alone.
function showFound(found) {
  useInspection(found);
  if (found) showPeople(found, duration, choosePeople);
  byId('inspect').textContent = found ? 'Find them again' : 'Find people and scenes';
  byId('exact-label').hidden = Boolean(found);
  showScenes(duration, (start) => { byId('scrub').value = start; moved(); });
  showScopes(markScene(shownTime()));
  markEntries();
}

function choosePeople(faces) {
  byId('faces').value = faces;
  again();
}

function moved() {
  showScene(markScene(shownTime()));
  if (isShown()) seek(shownTime());
  else if (path !== null) showFrame(path);
}

// Shows the preview again, if one is shown.
function again() {
  markEntries();
  if (isPreviewed() && !isShown()) preview();
}

// One preview at a time; what is asked for meanwhile is asked once more afterwards.
async function preview() {
  if (path === null) return;
  if (isPreviewing) { isAskedAgain = true; return; }
  if (isShown()) { hideResult(); showFrame(path); }
  isPreviewing = true;
  byId('preview-facts').textContent = 'Restoring the frame and its neighbours …';
  byId('compare').setAttribute('aria-busy', 'true');
  const asked = path;
  const shown = await attempt(async () => { await showPreview(asked, currentSettings()); return true; });
  if (!shown) {
    byId('preview-facts').textContent = 'The preview failed; what happened is said at the top.';
    byId('preview-facts').classList.add('failed');
  }
  byId('compare').removeAttribute('aria-busy');
  isPreviewing = false;
  if (isAskedAgain) { isAskedAgain = false; await preview(); }
}

async function people() {
  const asked = path;
  byId('inspect').disabled = true;
  byId('people-state').textContent = 'starting …';
  const found = await attempt(() => findPeople(asked, () => path === asked));
  byId('inspect').disabled = false;
  if (path !== asked) return;
  if (found) showFound(found);
  else byId('people-state').textContent = '';
  again();
}

async function queueJob(event) {
  event.preventDefault();
  await attempt(async () => {
    await post('/api/jobs', { kind: 'restore', input: path, output: byId('output').value, settings: currentSettings() });
    say(`${fileName(byId('output').value)} is queued`);
    await refresh(look);
  });
}

async function look(job) {
  const { result } = job;
  if (path !== job.input) await openVideo(job.input);
  showResult(job.input, job.output);
  showReport(result);
  byId('preview-facts').textContent = `${fileName(job.output)}: ${count(result.frames, 'frame')}, ${count(result.faces, 'face')} ` +
    `of ${count(result.tracks, 'track')} in ${result.seconds.toFixed(1)} s. ${[...(result.people ?? []), ...result.warnings].join('. ')}`;
  await refreshFolder();
  markOpen(fileName(path));
}

byId('scrub').addEventListener('input', moved);
byId('preview').addEventListener('click', preview);
byId('close-result').addEventListener('click', () => { hideResult(); showFrame(path); });
byId('inspect').addEventListener('click', people);
byId('settings').addEventListener('submit', queueJob);
byId('output').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  byId('settings').requestSubmit(byId('queue-job'));
});
connectDivider();
connectTimeline();
connectResult((at) => showScene(markScene(at)));
watchSettings(again);
showScopes(null);
attempt(() => showFiles(openVideo, closeVideo));
watchQueue(look);
