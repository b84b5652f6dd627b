// The queue: what waits, what runs and how far it is, what is done.
import { fileAddress, get, post } from './api.js';
import { attempt, byId, element, fileName } from './elements.js';

const POLL_MILLISECONDS = 1500;
const progressOf = new Map();
const frameOf = new Map();
const watched = new Set();
let shownInWindow = null;

export async function watchQueue(onResult) {
  byId('watch-close').addEventListener('click', () => byId('watch').close());
  byId('watch').addEventListener('close', () => { shownInWindow = null; });
  for (;;) {
    await attempt(() => refresh(onResult));
    await new Promise((resolve) => { setTimeout(resolve, POLL_MILLISECONDS); });
  }
}

export async function refresh(onResult) {
  const { jobs } = await get('/api/jobs');
  const shown = jobs.filter((job) => job.kind !== 'inspect');
  for (const job of shown) if (job.state === 'running') watch(job.id);
  const focused = document.activeElement?.dataset?.key;
  byId('no-jobs').hidden = shown.length > 0;
  byId('jobs').replaceChildren(...shown.map((job, at) => row(job, shown[at - 1], onResult)));
  if (focused) byId('jobs').querySelector(`[data-key="${focused}"]`)?.focus();
  showWindow(shown);
}

function watch(id) {
  if (watched.has(id)) return;
  watched.add(id);
  const events = new EventSource(`/api/jobs/${id}/events`);
  events.addEventListener('progress', (event) => { progressOf.set(id, JSON.parse(event.data)); });
  events.addEventListener('frame', (event) => { frameOf.set(id, JSON.parse(event.data).changed); });
  events.addEventListener('state', (event) => {
    if (!['queued', 'running'].includes(JSON.parse(event.data).state)) { events.close(); watched.delete(id); }
  });
  events.onerror = () => { events.close(); watched.delete(id); };
}

const newestFrame = (id) => `/api/jobs/${id}/frame?${new URLSearchParams({ changed: frameOf.get(id) })}`;
const title = (job) => fileName(job.output || job.input);

function row(job, before, onResult) {
  const item = element('li', {}, element('b', { textContent: title(job), title: job.output || job.input }),
    element('span', { className: `state ${job.state}`, textContent: describe(job) }));
  const settings = summary(job);
  if (settings) item.append(element('span', { className: 'quiet', textContent: settings }));
  if (job.state === 'running') item.append(bar(job));
  if (job.state === 'running' && frameOf.has(job.id)) item.append(picture(job));
  item.append(buttons(job, before, onResult));
  return item;
}

function bar(job) {
  const { frames = 0, total = null } = progressOf.get(job.id) ?? {};
  const made = element('progress');
  made.setAttribute('aria-label', `progress of ${title(job)}`);
  if (total) { made.max = total; made.value = Math.min(frames, total); }
  return made;
}

function picture(job) {
  const button = element('button', { type: 'button', className: 'frame', title: 'Show it large' },
    element('img', { src: newestFrame(job.id), alt: `newest frame of ${title(job)}` }));
  button.dataset.key = `${job.id}-frame`;
  button.addEventListener('click', () => { shownInWindow = job.id; byId('watch').showModal(); showWindow([job]); });
  return button;
}

// The newest frame, large; the last one stays when the job has ended.
function showWindow(jobs) {
  const job = jobs.find((each) => each.id === shownInWindow);
  if (job === undefined) return;
  byId('watch-name').textContent = title(job);
  byId('watch-state').textContent = describe(job);
  if (frameOf.has(job.id)) byId('watch-frame').src = newestFrame(job.id);
}

function buttons(job, before, onResult) {
  const made = element('div', { className: 'row' });
  const add = (label, action) => {
    const button = element('button', { type: 'button', textContent: label });
    button.setAttribute('aria-label', `${label}: ${title(job)}`);
    button.dataset.key = `${job.id}-${label}`;
    button.addEventListener('click', () => attempt(action));
    made.append(button);
  };
  const act = (label, action, body) => add(label, async () => {
    await post(`/api/jobs/${job.id}/${action}`, body);
    await refresh(onResult);
  });
  const isOurs = job.kind === 'restore';
  if (job.state === 'done' && isOurs) add('Compare', async () => onResult(await get(`/api/jobs/${job.id}`)));
  if (['queued', 'running'].includes(job.state)) act('Cancel', 'cancel');
  if (job.state === 'queued' && before?.state === 'queued') act('Move up', 'move', { before: before.id });
  if (['failed', 'cancelled'].includes(job.state)) act('Continue', 'retry');
  if (job.state !== 'running') act('Remove', 'remove');
  if (job.state === 'done' && isOurs)
    made.append(element('a', { href: fileAddress(job.output), download: title(job), textContent: 'Save' }));
  return made;
}

// Stages without a number of frames.
const STAGES = { opening: 'opening the video', loading: 'loading the networks', finishing: 'completing the output' };

function describe(job) {
  const progress = progressOf.get(job.id);
  if (job.state === 'running' && progress) {
    if (STAGES[progress.stage]) return STAGES[progress.stage];
    const rate = progress.rate == null ? '' : `, ${progress.rate.toFixed(1)} a second`;
    const left = progress.eta == null ? '' : `, ${duration(progress.eta)} left`;
    const faces = progress.stage === 'analysing' ? 'finding faces: ' : '';
    return `${faces}${progress.frames}${progress.total ? ` of ${progress.total}` : ''} frames${rate}${left}`;
  }
  return job.message ? `${job.state}: ${job.message}` : job.state;
}

function duration(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// What differs from the usual.
function summary(job) {
  if (job.kind === 'folder') return 'from the watched folder';
  const { strength = 1, fidelity = 'auto', grain = 'auto', faces = 'all', sidecar } = job.settings;
  return [strength === 1 ? '' : `strength ${strength}`, fidelity === 'auto' ? '' : `fidelity ${fidelity}`,
    grain === 'auto' ? '' : `grain ${grain}`, faces === 'all' ? '' : `faces ${faces}`,
    sidecar ? 'scenes and people set' : ''].filter(Boolean).join(', ');
}
