// The folder browser: folders that were chosen when the service was started, what is in them, dropped files.
import { get, removeFile, sendFile } from './api.js';
import { attempt, byId, element, say } from './elements.js';

const VIDEO = /\.(3gp|asf|avi|dv|flv|gif|m2ts|m2v|m4v|mkv|mov|mp4|mpe?g|mts|mxf|nut|ogv|ts|vob|webm|wmv|y4m|png|jpe?g|tiff?|webp|avif|heic|bmp)$/i;
let open;
let close;
let roots = [];
let dropped = '';
let shown = null;

export async function showFiles(onVideo, onRemove) {
  open = onVideo;
  close = onRemove;
  ({ roots, dropped } = await get('/api/folders'));
  connectDrop();
  await (roots.length === 1 ? showFolder(roots[0]) : showRoots());
}

function showRoots() {
  shown = null;
  byId('folder').textContent = '';
  fill([...roots.map((root) => entry(root, () => showFolder(root))), droppedEntry()]);
}

async function showFolder(path) {
  const { entries } = await get('/api/folders', { path });
  shown = path;
  byId('folder').textContent = path === dropped ? 'Dropped files' : path;
  const videos = entries.filter((each) => each.folder || VIDEO.test(each.name));
  const items = videos.map((each) => {
    const below = `${path.replace(/\/$/, '')}/${each.name}`;
    const item = entry(each.folder ? `${each.name}/` : each.name, each.folder ? () => showFolder(below) : () => open(below));
    if (path === dropped) item.append(removeButton(each.name));
    return item;
  });
  const isTop = roots.includes(path) || path === dropped;
  if (isTop && (roots.length > 1 || path === dropped)) items.unshift(entry('.. all folders', async () => showRoots()));
  else if (!isTop) items.unshift(entry('..', () => showFolder(path.replace(/\/[^/]*$/, ''))));
  if (roots.length === 1 && roots.includes(path)) items.push(droppedEntry());
  byId('no-entries').hidden = videos.length > 0;
  fill(items);
}

const droppedEntry = () => entry('Dropped files/', () => showFolder(dropped));

function removeButton(name) {
  const button = element('button', { type: 'button', className: 'remove', textContent: '×', title: `Remove ${name}` });
  button.setAttribute('aria-label', `Remove ${name}`);
  button.addEventListener('click', () => attempt(async () => {
    close(`${dropped}/${name}`);
    await removeFile(name);
    await showFolder(dropped);
  }));
  return button;
}

function entry(label, action) {
  const button = element('button', { type: 'button', textContent: label, title: label });
  button.addEventListener('click', () => attempt(action));
  return element('li', {}, button);
}

function fill(items) {
  byId('entries').replaceChildren(...items);
}

// The file's name in the list, or nothing, is the current one.
export function markOpen(name) {
  for (const button of byId('entries').querySelectorAll('button:not(.remove)'))
    if (button.textContent === name) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
}

export async function refreshFolder() {
  if (shown !== null) await showFolder(shown);
}

function connectDrop() {
  const take = (files) => attempt(async () => {
    for (const file of files) {
      say(`copying ${file.name} …`);
      const { path } = await sendFile(file);
      await showFolder(dropped);
      await open(path);
    }
  });
  byId('drop-file').addEventListener('change', (event) => { take([...event.target.files]); event.target.value = ''; });
  const onFiles = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => { if (onFiles(event)) { event.preventDefault(); document.body.classList.add('dropping'); } });
  addEventListener('dragleave', (event) => { if (event.relatedTarget === null) document.body.classList.remove('dropping'); });
  addEventListener('drop', (event) => {
    document.body.classList.remove('dropping');
    if (!onFiles(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}
