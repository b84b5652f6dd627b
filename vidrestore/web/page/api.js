// Requests to the service; errors are its sentences.

export async function get(path, values = {}) {
  return answer(await fetch(`${path}?${new URLSearchParams(values)}`));
}

export async function post(path, body = {}) {
  const headers = { 'content-type': 'application/json' };
  return answer(await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answer(response) {
  const value = await response.json();
  if (!response.ok) throw new Error(value.error ?? `the service answered ${response.status}`);
  return value;
}

export function fileAddress(path) {
  return `/api/media?${new URLSearchParams({ path })}`;
}

export function thumbnailAddress(path, at) {
  return `/api/thumbnail?${new URLSearchParams({ path, at: at.toFixed(3) })}`;
}
