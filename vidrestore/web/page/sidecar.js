// The sidecar of the open video: what is said of people and scenes; saved beside it with every change.
import { get, put } from './api.js';
import { attempt, fileName, say } from './elements.js';

let video = null;
let found = null;
let file = { path: '', sidecar: null, digest: null };
let saving = Promise.resolve();

export async function openSidecar(path) {
  video = path;
  found = null;
  file = { path: `${path}.yaml`, sidecar: null, digest: null };
  const read = await attempt(() => get('/api/sidecar', { path }));
  if (read && video === path) file = read;
}

// Of an inspection: its people and scenes are added to those of the file.
export function useInspection(inspection) {
  found = inspection;
}

export const name = () => fileName(file.path);
export const isKnown = () => found !== null || file.sidecar !== null;
export const inspection = () => found;
export const people = () => Object.keys(whole().people).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

// Start times of the scenes, in order.
export function scenes() {
  return Object.entries(whole().scenes).map(([number, scene]) => ({ number: Number(number), start: scene.start ?? 0 }))
    .sort((a, b) => a.number - b.number);
}

function whole() {
  const values = { people: { ...file.sidecar?.people }, scenes: { ...file.sidecar?.scenes } };
  for (const person of found?.people ?? []) values.people[`p${person.id}`] ??= { tracks: person.tracks };
  (found?.scenes ?? []).forEach((scene, number) => { values.scenes[number] ??= { start: scene.start ?? 0 }; });
  return values;
}

function said(values) {
  const { tracks, start, people: inner, ...entries } = values ?? {};
  return entries;
}

// What is said of a person, a scene, or a person in a scene.
export function entry({ person, scene }) {
  const values = whole();
  if (scene === null) return said(values.people[person]);
  return person === null ? said(values.scenes[scene]) : said(values.scenes[scene]?.people?.[person]);
}

// What holds there, `usual` being what the settings say.
export function effective({ person, scene }, usual) {
  return {
    ...usual,
    ...(person === null ? {} : entry({ person, scene: null })),
    ...(scene === null ? {} : entry({ person: null, scene })),
    ...(person === null || scene === null ? {} : entry({ person, scene })),
  };
}

export const hasEntries = (values) => Object.keys(said(values)).length > 0 || Object.values(values?.people ?? {}).some(hasEntries);
export const sceneHasEntries = (number) => hasEntries(whole().scenes[number]);
export const personHasEntries = (person) => hasEntries(whole().people[person])
  || Object.values(whole().scenes).some((scene) => hasEntries(scene.people?.[person]));

// The sidecar, if it says anything.
export function withEntries() {
  const { sidecar } = file;
  const any = sidecar !== null && [...Object.values(sidecar.people ?? {}), ...Object.values(sidecar.scenes ?? {})].some(hasEntries);
  return any ? sidecar : null;
}

// p0 in a list of faces becomes its tracks: the video need not be looked through again.
export function asTracks(faces) {
  const prefix = faces.startsWith('not:') ? 'not:' : '';
  const parts = faces.slice(prefix.length).split(',');
  if (!parts.every((part) => /^(p?\d+)$/.test(part)) || !parts.some((part) => part.startsWith('p'))) return faces;
  const known = whole().people;
  if (!parts.every((part) => !part.startsWith('p') || known[part])) return faces;
  return prefix + parts.flatMap((part) => (part.startsWith('p') ? known[part].tracks : [Number(part)])).join(',');
}

export function change({ person, scene }, setting, value) {
  saving = saving.then(() => attempt(() => save({ person, scene }, setting, value)));
  return saving;
}

async function save({ person, scene }, setting, value) {
  const path = video;
  const values = structuredClone(whole());
  let place = scene === null ? values.people[person] : values.scenes[scene];
  if (scene !== null && person !== null) {
    place.people ??= {};
    place = place.people[person] ??= {};
  }
  if (value === null) delete place[setting];
  else place[setting] = value;
  const frames = found?.frames ?? file.sidecar.video.frames;
  const written = await put('/api/sidecar', { path, digest: file.digest, frames, ...values });
  if (video !== path) return;
  file = written;
  say(written.copy ? `saved in ${name()}; the earlier one is ${fileName(written.copy)}` : `saved in ${name()}`);
}
