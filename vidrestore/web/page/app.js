// The page: connects its parts. No library, no build step, nothing from elsewhere.
import { get, post } from './api.js';
import { attempt, byId, clock, count, say } from './elements.js';
import { showRoots } from './files.js';
import { findPeople, showPeople } from './people.js';
import { refresh, watchQueue } from './queue.js';
import { currentSettings, watchSettings } from './settings.js';
import { connectResult, isShown, seek, showResult } from './result.js';
import { openViewer, placeDivider, showPreview, showTime } from './viewer.js';

let path = null;
let isPreviewing = false;
let isAskedAgain = false;

async function openVideo(chosen) {
  const facts = await get('/api/video', { path: chosen });
  path = chosen;
  byId('video-name').textContent = chosen.replace(/.*\//, '');
  const length = facts.duration === null ? '' : `, ${clock(facts.duration)}`;
  byId('facts').textContent = `${facts.width} × ${facts.height}${length}, ${facts.frame_rate.toFixed(3)} frames/s, ${facts.codec}`;
  byId('output').value = chosen.replace(/(\.[^./]*)?$/, '-restored$1');
  byId('faces').value = 'all';
  byId('queue-job').disabled = false;
  byId('people').replaceChildren();
  byId('people-state').textContent = '';
  openViewer(path, facts);
  say('');
}

// One preview at a time; what is asked for meanwhile is asked once more afterwards.
async function preview() {
  if (path === null) return;
  if (isPreviewing) { isAskedAgain = true; return; }
  if (isShown()) showTime(path);
  isPreviewing = true;
  byId('preview-facts').textContent = 'restoring the frame and its neighbours …';
  await attempt(() => showPreview(path, currentSettings()));
  isPreviewing = false;
  if (isAskedAgain) { isAskedAgain = false; await preview(); }
}

async function people() {
  const asked = path;
  byId('inspect').disabled = true;
  const found = await attempt(() => findPeople(asked, () => path === asked));
  byId('inspect').disabled = false;
  if (found && path === asked)
    showPeople(found, (faces) => { byId('faces').value = faces; if (!byId('after').hidden) preview(); });
}

async function queueJob(event) {
  event.preventDefault();
  await attempt(async () => {
    await post('/api/jobs', { kind: 'restore', input: path, output: byId('output').value, settings: currentSettings() });
    say('queued');
    await refresh(look);
  });
}

async function look(job) {
  const { result } = job;
  if (path !== job.input) await openVideo(job.input);
  showResult(job.input, job.output);
  placeDivider();
  byId('preview-facts').textContent = `${count(result.frames, 'frame')}, ${count(result.faces, 'face')} of ${count(result.tracks, 'track')} ` +
    `in ${result.seconds.toFixed(1)} s. ${[...(result.people ?? []), ...result.warnings].join('. ')}`;
}

byId('scrub').addEventListener('input', () => {
  if (isShown()) seek(Number(byId('scrub').value));
  else if (path !== null) showTime(path);
});
byId('divider').addEventListener('input', placeDivider);
byId('zoom').addEventListener('change', placeDivider);
byId('preview').addEventListener('click', preview);
byId('inspect').addEventListener('click', people);
byId('settings').addEventListener('submit', queueJob);
connectResult();
watchSettings(() => { if (!byId('after').hidden) preview(); });
attempt(() => showRoots(openVideo));
watchQueue(look);
