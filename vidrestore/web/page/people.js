// People and scenes along the timeline: finding them, when they are there, and choosing them.
import { get, post } from './api.js';
import { byId, clock, count, element, moveByArrows, say } from './elements.js';
import * as sidecar from './sidecar.js';

export async function findPeople(path, isCurrent) {
  const { id } = await post('/api/jobs', { kind: 'inspect', input: path, settings: {} });
  const events = new EventSource(`/api/jobs/${id}/events`);
  const state = await new Promise((resolve, reject) => {
    events.addEventListener('progress', (event) => {
      const { stage, frames, total, eta } = JSON.parse(event.data);
      const left = eta ? `, ${Math.ceil(eta)} s left` : '';
      if (isCurrent()) byId('people-state').textContent = stage === 'analysing'
        ? `looking: frame ${frames}${total ? ` of ${total}` : ''}${left}` : 'starting …';
    });
    events.addEventListener('state', (event) => {
      const now = JSON.parse(event.data);
      if (['done', 'failed', 'cancelled'].includes(now.state)) resolve(now);
    });
    events.addEventListener('error', () => { if (events.readyState === EventSource.CLOSED) reject(new Error('vidrestore web does not answer')); });
  }).finally(() => events.close());
  if (state.state !== 'done') throw new Error(state.message || `looking for people was ${state.state}`);
  return (await get(`/api/jobs/${id}`)).result;
}

// One row for each person: pressed ones are restored.
export function showPeople(found, duration, onChoice) {
  byId('people-state').textContent = found.people.length
    ? `${count(found.people.length, 'person', 'people')} in ${count(found.scenes.length, 'scene')}. Press a person to leave that person alone.`
    : `No faces were found in ${count(found.frames, 'frame')}.`;
  byId('people').replaceChildren(...found.people.flatMap((person) => row(person, found, duration, onChoice)));
}

function row(person, found, duration, onChoice) {
  const tracks = found.tracks.filter((track) => person.tracks.includes(track.id));
  const largest = tracks.reduce((a, b) => (b.side[1] > a.side[1] ? b : a));
  const sure = person.distance === null ? '' : `, tracks at most ${person.distance.toFixed(2)} apart`;
  const details = `${count(person.frames, 'frame')}, ${count(tracks.length, 'track')}${sure}`;
  const button = element('button', { type: 'button', className: 'person', title: details },
    element('img', { src: found.thumbnails[largest.id], alt: '' }),
    element('span', { textContent: `p${person.id}` }));
  button.setAttribute('aria-pressed', 'true');
  button.setAttribute('aria-label', `p${person.id}, ${details}`);
  button.dataset.person = `p${person.id}`;
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
    onChoice(choice());
  });
  const presence = element('div', { className: 'presence' });
  for (const track of tracks) {
    const bar = element('i', { title: track.start === null ? '' : `${clock(track.start)} to ${clock(track.end)}` });
    bar.style.left = `${(100 * track.first_frame) / found.frames}%`;
    bar.style.width = `${(100 * (track.last_frame - track.first_frame + 1)) / found.frames}%`;
    presence.append(bar);
  }
  return [button, element('div', { className: 'track' }, presence)];
}

// What --faces says for the people that are pressed.
function choice() {
  const buttons = [...byId('people').querySelectorAll('button')];
  const chosen = buttons.filter((each) => each.getAttribute('aria-pressed') === 'true');
  if (chosen.length === buttons.length) return 'all';
  return chosen.length ? chosen.map((each) => each.dataset.person).join(',') : 'none';
}

// A button for each scene, as wide as it is long; `duration`: of the video [s].
export function showScenes(duration, onScene) {
  const scenes = sidecar.scenes();
  byId('scenes').replaceChildren(...scenes.map(({ number, start }, at) => {
    const end = scenes[at + 1]?.start ?? duration;
    const button = element('button', { type: 'button', textContent: number + 1, title: `Scene ${number + 1}: ${clock(start)} to ${clock(end)}` });
    button.setAttribute('aria-label', `Scene ${number + 1}, from ${clock(start)}`);
    button.dataset.scene = number;
    button.style.flexGrow = 1000 * Math.max(end - start, duration / 1000, 0.001); // a sum below 1 would not fill it
    button.addEventListener('click', () => onScene(start));
    return button;
  }));
  markEntries();
}

// The scene of a time, or null; its button is the one that Tab reaches.
export function markScene(at) {
  const current = sidecar.scenes().filter(({ start }) => start <= at + 0.001).at(-1)?.number ?? null;
  for (const button of byId('scenes').children) {
    const isCurrent = Number(button.dataset.scene) === current;
    button.tabIndex = isCurrent || current === null ? 0 : -1;
    if (isCurrent) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
  return current;
}

// Scenes and people with settings of their own are marked.
export function markEntries() {
  for (const button of byId('scenes').children) mark(button, sidecar.sceneHasEntries(Number(button.dataset.scene)));
  for (const button of byId('people').querySelectorAll('button')) mark(button, sidecar.personHasEntries(button.dataset.person));
}

function mark(button, isOwn) {
  button.classList.toggle('own', isOwn);
  const label = button.getAttribute('aria-label').replace(/, with own settings$/, '');
  button.setAttribute('aria-label', isOwn ? `${label}, with own settings` : label);
}

export function connectTimeline() {
  moveByArrows(byId('scenes'));
}

export function forgetPeople() {
  byId('people').replaceChildren();
  byId('scenes').replaceChildren();
  byId('people-state').textContent = '';
  say('');
}
