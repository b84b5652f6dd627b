// The queue: what waits, what runs and how far it is, what is done.
import { get, post } from './api.js';
import { attempt, byId, element } from './elements.js';

const POLL_MILLISECONDS = 1500;
const progressOf = new Map();
const watched = new Set();

export async function watchQueue(onResult) {
  for (;;) {
    await attempt(() => refresh(onResult));
    await new Promise((resolve) => { setTimeout(resolve, POLL_MILLISECONDS); });
  }
}

export async function refresh(onResult) {
  const { jobs } = await get('/api/jobs');
  const shown = jobs.filter((job) => job.kind === 'restore');
  for (const job of shown) if (job.state === 'running') watch(job.id);
  const focused = document.activeElement?.dataset?.key;
  byId('jobs').replaceChildren(...shown.map((job, at) => row(job, shown[at - 1], onResult)));
  if (focused) byId('jobs').querySelector(`[data-key="${focused}"]`)?.focus();
}

function watch(id) {
  if (watched.has(id)) return;
  watched.add(id);
  const events = new EventSource(`/api/jobs/${id}/events`);
  events.addEventListener('progress', (event) => { progressOf.set(id, JSON.parse(event.data)); });
  events.addEventListener('state', (event) => {
    if (!['queued', 'running'].includes(JSON.parse(event.data).state)) { events.close(); watched.delete(id); }
  });
  events.addEventListener('error', () => { events.close(); watched.delete(id); });
}

function row(job, before, onResult) {
  const item = element('li', {}, element('b', { textContent: job.output.replace(/.*\//, ''), title: job.output }));
  const state = element('span', { className: job.state, textContent: describe(job) });
  item.append(state);
  if (job.state === 'running') {
    const { frames = 0, total = null } = progressOf.get(job.id) ?? {};
    const bar = element('progress');
    bar.setAttribute('aria-label', `progress of ${job.output}`);
    if (total) { bar.max = total; bar.value = Math.min(frames, total); }
    item.append(bar);
  }
  const buttons = element('div', { className: 'row' });
  const act = (label, action, body) => {
    const button = element('button', { type: 'button', textContent: label });
    button.dataset.key = `${job.id}-${label}`;
    button.addEventListener('click', () => attempt(async () => {
      await post(`/api/jobs/${job.id}/${action}`, body);
      await refresh(onResult);
    }));
    buttons.append(button);
  };
  if (['queued', 'running'].includes(job.state)) act('Cancel', 'cancel');
  if (job.state === 'queued' && before?.state === 'queued') act('Earlier', 'move', { before: before.id });
  if (['failed', 'cancelled'].includes(job.state)) act('Go on', 'retry');
  if (job.state !== 'running') act('Remove', 'remove');
  if (job.state === 'done') {
    const button = element('button', { type: 'button', textContent: 'Look' });
    button.dataset.key = `${job.id}-look`;
    button.addEventListener('click', () => attempt(async () => onResult(await get(`/api/jobs/${job.id}`))));
    buttons.append(button);
  }
  item.append(buttons);
  return item;
}

// Stages without a number of frames.
const STAGES = { opening: 'opening the video', loading: 'loading the networks', finishing: 'completing the output' };

function describe(job) {
  const progress = progressOf.get(job.id);
  if (job.state === 'running' && progress) {
    if (STAGES[progress.stage]) return STAGES[progress.stage];
    const rate = progress.rate === null ? '' : `, ${progress.rate.toFixed(1)} a second`;
    const left = progress.eta === null ? '' : `, ${Math.ceil(progress.eta)} s left`;
    const faces = progress.stage === 'analysing' ? 'finding faces: ' : '';
    return `${faces}${progress.frames}${progress.total ? ` of ${progress.total}` : ''} frames${rate}${left}`;
  }
  return job.message ? `${job.state}: ${job.message}` : job.state;
}
