// The folder browser: folders that were chosen when the service was started, and what is in them.
import { get } from './api.js';
import { attempt, byId, element } from './elements.js';

const VIDEO = /\.(mp4|mkv|mov|avi|webm|mpg|mpeg|ts|m2ts|mxf|nut|wmv|flv|m4v|png|jpe?g|tiff?|webp)$/i;

export async function showRoots(onVideo) {
  const { roots } = await get('/api/folders');
  if (roots.length === 1) return showFolder(roots[0], roots, onVideo);
  byId('folder').textContent = '';
  fill(roots.map((root) => entry(root, () => showFolder(root, roots, onVideo))));
}

async function showFolder(path, roots, onVideo) {
  const { entries } = await get('/api/folders', { path });
  byId('folder').textContent = path;
  const items = entries
    .filter((each) => each.folder || VIDEO.test(each.name))
    .map((each) => {
      const below = `${path.replace(/\/$/, '')}/${each.name}`;
      const open = each.folder ? () => showFolder(below, roots, onVideo) : () => onVideo(below);
      return entry(each.folder ? `${each.name}/` : each.name, open);
    });
  const isRoot = roots.includes(path);
  if (!isRoot || roots.length > 1) {
    const up = isRoot ? () => showRoots(onVideo) : () => showFolder(path.replace(/\/[^/]*$/, ''), roots, onVideo);
    items.unshift(entry('..', up));
  }
  fill(items);
}

function entry(label, open) {
  const button = element('button', { type: 'button', textContent: label, title: label });
  button.addEventListener('click', () => attempt(open));
  return element('li', {}, button);
}

function fill(items) {
  byId('entries').replaceChildren(...items);
}
